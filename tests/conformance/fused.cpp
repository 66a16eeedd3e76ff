// Fused kernels that are composed of others: that each is held to the oracle, and that policy and trace see one op.
#include <algorithm>

#include <gtest/gtest.h>

#include "conformance/harness.h"
#include "conformance/training.h"
#include "support/without_fused.h"

namespace amphora::conformance {
namespace {

TEST(Fused, EachKernelHasASuiteThatHoldsItsDecompositionToTheOracle) {
  const std::vector<KernelId>& cases = fused_cases();
  for (const KernelId kernel : kFusedKernels) {
    EXPECT_NE(std::find(cases.begin(), cases.end(), kernel), cases.end())
        << name_of(kernel) << " is in no AMPHORA_ON_FUSED_SUBJECTS";
  }
}

TEST(Fused, AComposedOpIsExplainedAsOne) {
  const auto device = testing::open_without_fused({.threads = 2});
  for (const DType low : {DType::f16, DType::bf16}) {
    const std::string text = explain_small(*device, low == DType::f16 ? Precision::f16 : Precision::bf16);
    for (const std::string& line : differing_lines(expected_explanation(low), text)) ADD_FAILURE() << line;
    EXPECT_EQ(device->counters().launches[static_cast<std::size_t>(KernelId::softmax)], 0u);
  }
}

}  // namespace
}  // namespace amphora::conformance
