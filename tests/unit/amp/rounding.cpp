// Rounding to 16 bits on the device: the reference values R1 to R15 (round to nearest, ties to even).
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AmpRounding : public CpuTest {
 protected:
  // What a value becomes by a conversion kernel, behind enough others that the vector path takes part.
  double rounded(double value, DType type) {
    const Tensor many = vector(Values(37, static_cast<double>(static_cast<float>(value))));
    const Values results = cast(many, type).to_doubles();
    EXPECT_TRUE(same_values(results, Values(37, results[0])));
    EXPECT_EQ(results[0], vector({value}, type).item()) << "the host disagrees";
    return results[0];
  }
};
AMPHORA_ON_CPU(AmpRounding);

TEST_P(AmpRounding, R1_TheLargestF16IsItself) { EXPECT_EQ(rounded(65504, DType::f16), 65504); }
TEST_P(AmpRounding, R2_BelowTheMidpointToInfinity) { EXPECT_EQ(rounded(65519.99, DType::f16), 65504); }
TEST_P(AmpRounding, R3_TheMidpointGoesToInfinity) { EXPECT_EQ(rounded(65520, DType::f16), kInf); }
TEST_P(AmpRounding, R4_ATieGoesDownToEven) { EXPECT_EQ(rounded(2049, DType::f16), 2048); }
TEST_P(AmpRounding, R5_ATieGoesUpToEven) { EXPECT_EQ(rounded(2051, DType::f16), 2052); }
TEST_P(AmpRounding, R6_AThirdInF16) { EXPECT_EQ(rounded(1.0 / 3, DType::f16), 0.333251953125); }
TEST_P(AmpRounding, R7_ASubnormalIsKept) { EXPECT_EQ(rounded(6e-8, DType::f16), 5.960464477539063e-08); }
TEST_P(AmpRounding, R8_HalfOfTheSmallestSubnormalIsZero) { EXPECT_EQ(rounded(0x1p-25, DType::f16), 0); }
TEST_P(AmpRounding, R9_AboveHalfOfTheSmallestSubnormal) { EXPECT_EQ(rounded(3e-8, DType::f16), 5.960464477539063e-08); }
TEST_P(AmpRounding, R10_ATieOfIntegersInBf16) { EXPECT_EQ(rounded(257, DType::bf16), 256); }
TEST_P(AmpRounding, R11_AThirdInBf16) { EXPECT_EQ(rounded(1.0 / 3, DType::bf16), 0.333984375); }
TEST_P(AmpRounding, R12_ATieGoesDownToEvenInBf16) { EXPECT_EQ(rounded(1.00390625, DType::bf16), 1.0); }
TEST_P(AmpRounding, R13_ATieGoesUpToEvenInBf16) { EXPECT_EQ(rounded(1.01171875, DType::bf16), 1.015625); }
TEST_P(AmpRounding, R14_TheLargestBf16) { EXPECT_EQ(rounded(3.39e38, DType::bf16), 3.3895313892515355e38); }
TEST_P(AmpRounding, R15_AboveTheLargestBf16) { EXPECT_EQ(rounded(3.4e38, DType::bf16), kInf); }

}  // namespace
}  // namespace amphora::testing
