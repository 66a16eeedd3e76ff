#include "conformance/harness.h"

#include <exception>

#include <fmt/format.h>

#include "amphora/kernel/operands.h"

namespace amphora::conformance {
namespace {

// "f16 f16 -> f32": the element types that are read, and those that are written. What has none, or may be absent and is
// only read, is left out.
std::string types_of(const KernelCall& call, const Arrays& arrays) {
  std::string read, written_types;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const int index = static_cast<int>(i);
    const auto type = type_of(call, index);
    const bool written = is_written(call, index);
    if (!arrays[i].present() || !type || (operand_of(call.id, index).optional && !written)) continue;
    std::string& list = written ? written_types : read;
    if (!list.empty()) list += ' ';
    list += name_of(*type);
  }
  if (read.empty() || written_types.empty()) return read + written_types;
  return read + " -> " + written_types;
}

// "unary(gelu)", for messages.
std::string case_name(const KernelCall& call, const std::string& types) {
  const std::size_t f = call.spec.function;
  std::string name(name_of(call.id));
  switch (call.id) {
    case KernelId::unary:
    case KernelId::unary_grad: name += fmt::format("({})", kUnaryNames[f]); break;
    case KernelId::binary:
    case KernelId::binary_grad: name += fmt::format("({})", kBinaryNames[f]); break;
    case KernelId::matmul: {
      const auto p = call.params<MatmulParams>();
      name += fmt::format("({}x{}x{} batch {} ta {} tb {} {} alpha {} beta {})", p.m, p.n, p.k, p.batch,
                          call.spec.flags & kMatmulTransposeA, (call.spec.flags & kMatmulTransposeB) / 2,
                          name_of(static_cast<Activation>(f)), p.alpha, p.beta);
      break;
    }
    default: break;
  }
  return name + " " + types;
}

void check_what_was_touched(const KernelCall& call, const Arrays& results, const Arrays& arrays, Ledger::Row& row) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string_view name = operand_of(call.id, static_cast<int>(i)).name;
    if (!results[i].guards_intact()) {
      Ledger::current().violate(row, fmt::format("wrote outside of buffer '{}'", name));
    }
    if (!is_written(call, static_cast<int>(i)) && !results[i].same_bytes(arrays[i])) {
      Ledger::current().violate(row, fmt::format("changed buffer '{}', which it may only read", name));
    }
  }
}

}  // namespace

void OnEverySubject::SetUp() {
  Ledger::current().begin_test();
  Subject& subject = open_subject(*GetParam());
  if (GetParam()->products_only && subject.supports(KernelId::matmul, {{DType::f16, DType::f16}}).path ==
                                       open_subject(main_subject_of(GetParam()->backend))
                                           .supports(KernelId::matmul, {{DType::f16, DType::f16}})
                                           .path) {
    GTEST_SKIP() << "this device has no other path for products";
  }
  use_.emplace(subject);
}

void OnEverySubject::TearDown() {
  use_.reset();
  if (HasFailure()) ADD_FAILURE() << "to repeat this run: AMPHORA_TEST_SEED=" << run_seed();
}

Arrays run_call(const KernelCall& call, const Arrays& arrays, int threads) {
  Subject& subject = Subject::current();
  Ledger& ledger = Ledger::current();
  const std::string types = types_of(call, arrays);
  const std::string kernel(name_of(call.id));
  const Support support = subject.supports(call.id, call.spec);
  if (!support.supported) {
    ledger.unsupported({subject.name(), kernel, types, support.path});
    return {};
  }
  Ledger::Row& row = ledger.begin_case({subject.name(), kernel, types, support.path}, case_name(call, types));
  Arrays results = arrays;
  try {
    subject.launch(call, results, threads);
  } catch (const std::exception& error) {
    ledger.violate(row, error.what());
    return {};
  }
  check_what_was_touched(call, results, arrays, row);
  for (Array& result : results) result.row = &row;
  return results;
}

void launch_on_oracle(const KernelCall& call, const Arrays& arrays) {
  KernelCall bound = call;
  for (const Array& array : arrays) bound.with(array.range());
  static cpu::Threads one(1);
  cpu::oracle::find_launcher(call.id)(bound, one);
}

Arrays run_oracle_call(const KernelCall& call, Arrays arrays) {
  launch_on_oracle(call, arrays);
  for (Array& array : arrays) array.row = nullptr;
  return arrays;
}

}  // namespace amphora::conformance
