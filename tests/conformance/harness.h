// What every conformance test is built from: a fixture that runs once for each subject, and calls on a subject and on
// the oracle.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/dtype.h"
#include "amphora/kernel/call.h"
#include "amphora/kernel/operands.h"
#include "backends/cpu/kernels.h"
#include "conformance/array.h"
#include "conformance/check.h"
#include "conformance/subject.h"

namespace amphora::conformance {

inline constexpr bool kBoth[] = {false, true};

class OnEverySubject : public ::testing::TestWithParam<const SubjectEntry*> {
 protected:
  OnEverySubject() : random(run_seed()) {}
  void SetUp() override;
  void TearDown() override;

  Random random;

 private:
  std::optional<UseSubject> use_;
};

inline std::string subject_test_name(const ::testing::TestParamInfo<const SubjectEntry*>& info) {
  return info.param->name;
}

// Tests are called Suite.Name/vulkan, Suite.Name/cpu_AVX2. One whose name begins with Small_ has small shapes, and each
// suite of kernels has some: they are what `gpu-check` runs under tools that make everything a hundred times slower.
#define AMPHORA_ON_SUBJECTS(Suite, part)  \
  class Suite : public OnEverySubject {}; \
  INSTANTIATE_TEST_SUITE_P(, Suite, ::testing::ValuesIn(subjects(part)), subject_test_name)

#define AMPHORA_ON_EVERY_SUBJECT(Suite) AMPHORA_ON_SUBJECTS(Suite, Part::everything)

// A suite that holds fused kernels, which it names, to the oracle: it runs once more on what each backend composes.
#define AMPHORA_ON_FUSED_SUBJECTS(Suite, ...)      \
  AMPHORA_ON_SUBJECTS(Suite, Part::fused_kernels); \
  const bool k##Suite##HasCases = add_fused_cases({__VA_ARGS__})
bool add_fused_cases(std::initializer_list<KernelId> kernels);
// All that suites have named.
const std::vector<KernelId>& fused_cases();

using Arrays = std::vector<Array>;

// The subject's results on copies of `arrays`; empty, and noted, where it does not support the call. Checks the guards,
// and that what is only read stays as it was.
Arrays run_call(const KernelCall& call, const Arrays& arrays, int threads);
template <class Params>
Arrays run_subject(KernelId kernel, const Spec& spec, const Params& params, const Arrays& arrays, int threads = 2) {
  return run_call(KernelCall(kernel, spec, params), arrays, threads);
}

// On the arrays themselves.
void launch_on_oracle(const KernelCall& call, const Arrays& arrays);
Arrays run_oracle_call(const KernelCall& call, Arrays arrays);
// The oracle's results in the types that the call names.
template <class Params>
Arrays run_oracle_as_is(KernelId kernel, const Spec& spec, const Params& params, const Arrays& arrays) {
  return run_oracle_call(KernelCall(kernel, spec, params), arrays);
}
// The oracle's results. Floating arrays that it writes become f64 first, so that they hold the exact values.
template <class Params>
Arrays run_oracle(KernelId kernel, Spec spec, const Params& params, Arrays arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const bool is_written = amphora::is_written(KernelCall(kernel, spec, params), static_cast<int>(i));
    if (!is_written || !arrays[i].present() || !is_floating(arrays[i].type())) continue;
    arrays[i] = arrays[i].as(DType::f64);
    spec.types[i] = DType::f64;
  }
  return run_oracle_as_is(kernel, spec, params, arrays);
}

// Expects the oracle's bits in every array.
template <class Params>
void expect_oracle_bits(KernelId kernel, const Spec& spec, const Params& params, const Arrays& arrays) {
  const Arrays actual = run_subject(kernel, spec, params, arrays);
  if (actual.empty()) return;
  const Arrays expected = run_oracle_as_is(kernel, spec, params, arrays);
  for (std::size_t i = 0; i < arrays.size(); ++i) expect_same(actual[i], expected[i]);
}

// Expects the same bits from every run: on the cpu whatever the number of threads, elsewhere twice.
template <class Params>
void expect_repeatable(KernelId kernel, const Spec& spec, const Params& params, const Arrays& arrays) {
  const Arrays expected = run_subject(kernel, spec, params, arrays, 1);
  if (expected.empty()) return;
  for (const int threads : {2, 3, 5}) {
    const Arrays actual = run_subject(kernel, spec, params, arrays, threads);
    for (std::size_t i = 0; i < arrays.size(); ++i) expect_same(actual[i], expected[i]);
    if (Subject::current().compiles()) return;
  }
}

}  // namespace amphora::conformance
