#include "amphora/kernel/describe.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "amphora/kernel/operands.h"

namespace amphora {
namespace {

// A function with the constants that it has.
std::string unary_function(const KernelCall& call) {
  const auto p = call.params<UnaryParams>();
  const auto function = static_cast<UnaryFunction>(call.spec.function);
  switch (function) {
    case UnaryFunction::leaky_relu:
    case UnaryFunction::pow: return fmt::format("({} {})", name_of(function), p.p0);
    case UnaryFunction::clamp:
    case UnaryFunction::affine: return fmt::format("({} {} {})", name_of(function), p.p0, p.p1);
    default: return fmt::format("({})", name_of(function));
  }
}

std::string epilogue(const KernelCall& call) {
  const auto activation = static_cast<Activation>(call.spec.function);
  std::string text;
  if (call.at(op::matmul::bias).bytes > 0) text += "+bias";
  if (activation != Activation::none) {
    text += fmt::format("+{}{}", name_of(activation), call.has_flag(kMatmulDerivative) ? "'" : "");
  }
  if (call.has_flag(kMatmulBiasGradient)) text += "+bias_gradient";
  return text;
}

std::string function_of(const KernelCall& call) {
  switch (call.id) {
    case KernelId::fill: return fmt::format("({})", call.params<FillParams>().value);
    case KernelId::unary:
    case KernelId::unary_grad: return unary_function(call);
    case KernelId::matmul: return epilogue(call);
    default: break;
  }
  const auto functions = info_of(call.id).functions;
  return functions.empty() ? std::string() : fmt::format("({})", functions[call.spec.function]);
}

// The first operand's sizes, unless it is device state.
std::string first_sizes(const KernelCall& call) {
  if (!type_of(call, 0)) return {};
  const Layout layout = operand_use(call, 0).layout;
  std::string text;
  for (auto axis = static_cast<std::size_t>(layout.rank); axis > 0; --axis) {
    text += fmt::format("{}{}", text.empty() ? "" : "x", layout.sizes[Layout::kAxes - axis]);
  }
  return text;
}

std::string shape_of(const KernelCall& call) {
  if (call.id == KernelId::matmul) {
    const auto p = call.params<MatmulParams>();
    std::string text = p.batch > 1 ? fmt::format("{} of ", p.batch) : "";
    text += fmt::format("{}x{}{} * {}x{}{}", p.m, p.k, call.has_flag(kMatmulTransposeA) ? " (T)" : "", p.k, p.n,
                        call.has_flag(kMatmulTransposeB) ? " (T)" : "");
    return p.beta != 0.0f ? text + " added" : text;
  }
  std::string text = first_sizes(call);
  if (call.id == KernelId::reduce || call.id == KernelId::reduce_grad) {
    text += fmt::format(" over the middle{}", call.params<ReduceParams>().accumulate != 0 ? ", added" : "");
  }
  return text;
}

// The members of parameter structures by name, in order: words of 32 bits.
enum class Number : std::uint8_t { int32, uint32, float32 };
struct Member {
  std::string_view name;
  Number number;
  std::size_t words = 1;
};
struct Members {
  std::string_view params;
  std::span<const Member> members;
};

namespace members {
#define AM_INT(name) {#name, Number::int32},
#define AM_UINT32(name) {#name, Number::uint32},
#define AM_UINT32S(name) {#name, Number::uint32, 5},
#define AM_FLOAT(name) {#name, Number::float32},
#define AM_FLOATS(name) {#name, Number::float32, 8},
#define AM_STRUCT(name, members) constexpr Member name[] = {members};
#include "amphora/kernel/shared/params.def"
#undef AM_STRUCT
#undef AM_INT
#undef AM_UINT32
#undef AM_UINT32S
#undef AM_FLOAT
#undef AM_FLOATS
}  // namespace members

std::span<const Member> members_of(std::string_view params) {
  constexpr Members kAll[] = {
#define AM_STRUCT(name, all) {#name, members::name},
#include "amphora/kernel/shared/params.def"
#undef AM_STRUCT
  };
  for (const Members& structure : kAll) {
    if (structure.params == params) return structure.members;
  }
  return {};
}

std::string text_of(std::uint32_t word, Number number) {
  switch (number) {
    case Number::int32: return fmt::format("{}", static_cast<std::int32_t>(word));
    case Number::uint32: return fmt::format("{}", word);
    case Number::float32: return fmt::format("{}", std::bit_cast<float>(word));
  }
  return {};
}

}  // namespace

std::string describe(const KernelCall& call) {
  constexpr std::string_view kLetters = "rrwwu-";  // by Access
  std::string text(name_of(call.id));
  const auto functions = info_of(call.id).functions;
  const bool is_named =
      functions.data() == kUnaryNames || functions.data() == kBinaryNames || functions.data() == kOptimizerNames;
  if (is_named && call.spec.function < functions.size()) text += fmt::format("({})", functions[call.spec.function]);
  for (int i = 0; i < call.buffer_count; ++i) {
    if (call.at(i).buffer == nullptr) continue;
    text += fmt::format(" {}", kLetters[static_cast<std::size_t>(operand_use(call, i).access)]);
    if (const auto type = type_of(call, i)) text += fmt::format(":{}", name_of(*type));
    text += fmt::format("[{} B]", call.at(i).bytes);
  }
  return text;
}

std::string describe_shapes(const KernelCall& call) {
  std::string text = fmt::format("{}{}", name_of(call.id), function_of(call));
  if (const std::string shape = shape_of(call); !shape.empty()) text += fmt::format(" [{}]", shape);
  return text;
}

std::string first_parameter_difference(const KernelCall& a, const KernelCall& b) {
  std::size_t word = 0;
  const auto word_of = [&word](const KernelCall& call) {
    std::uint32_t value = 0;
    std::memcpy(&value, call.param_bytes().data() + word * sizeof value, sizeof value);
    return value;
  };
  for (const Member& member : members_of(info_of(a.id).params)) {
    for (std::size_t i = 0; i < member.words; ++i, ++word) {
      if (word_of(a) == word_of(b)) continue;
      const std::string index = member.words > 1 ? fmt::format("[{}]", i) : "";
      return fmt::format("{}{} is {} the first time and {} the second", member.name, index,
                         text_of(word_of(a), member.number), text_of(word_of(b), member.number));
    }
  }
  return {};
}

}  // namespace amphora
