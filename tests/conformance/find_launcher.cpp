// Which calls have a vectorised kernel: all of mixed-precision training, and no f64 or i32 arithmetic.
#include "amphora/kernel/optimizers.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

bool is_vectorised(KernelId kernel, const Spec& spec) { return cpu::simd::find_launcher(kernel, spec) != nullptr; }

Spec uniform(DType type) { return {{type, type, type, type}}; }

constexpr KernelId kArithmetic[] = {KernelId::cast,    KernelId::accumulate,   KernelId::unary,  KernelId::unary_grad,
                                    KernelId::binary,  KernelId::binary_grad,  KernelId::matmul, KernelId::reduce,
                                    KernelId::softmax, KernelId::softmax_grad, KernelId::dropout};

TEST(FindLauncher, ArithmeticIsVectorisedForF32AndThe16BitTypes) {
  for (const DType type : kFloats) {
    for (const KernelId kernel : kArithmetic) EXPECT_TRUE(is_vectorised(kernel, uniform(type))) << name_of(kernel);
    const Spec loss{{type, DType::i32, DType::f32, DType::f32}};
    EXPECT_TRUE(is_vectorised(KernelId::cross_entropy, loss));
    EXPECT_TRUE(is_vectorised(KernelId::cross_entropy_grad, loss));
  }
}

TEST(FindLauncher, TheOracleRunsF64AndI32Arithmetic) {
  for (const DType type : {DType::f64, DType::i32}) {
    for (const KernelId kernel : kArithmetic) EXPECT_FALSE(is_vectorised(kernel, uniform(type))) << name_of(kernel);
  }
}

TEST(FindLauncher, ASingleF64OperandIsEnoughForTheOracle) {
  for (std::size_t i = 0; i < 4; ++i) {
    Spec spec;
    spec.types[i] = DType::f64;
    EXPECT_FALSE(is_vectorised(KernelId::matmul, spec)) << i;
    EXPECT_FALSE(is_vectorised(KernelId::binary_grad, spec)) << i;
    EXPECT_FALSE(is_vectorised(KernelId::optimizer_step, spec)) << i;
  }
}

TEST(FindLauncher, GradientsAndOptimizersAreVectorisedForF32Masters) {
  for (const KernelId kernel : {KernelId::inspect, KernelId::unscale, KernelId::gradient_norm, KernelId::clip_norm,
                                KernelId::clip_value, KernelId::optimizer_step, KernelId::lerp}) {
    EXPECT_TRUE(is_vectorised(kernel, {})) << name_of(kernel);
    EXPECT_FALSE(is_vectorised(kernel, uniform(DType::f64))) << name_of(kernel);
  }
  for (const DType working : kFloats) {
    for (std::size_t rule = 0; rule < std::size(kOptimizers); ++rule) {
      const Spec spec{{DType::f32, DType::f32, working, DType::f32}, static_cast<std::uint8_t>(rule)};
      EXPECT_TRUE(is_vectorised(KernelId::optimizer_step, spec)) << rule;
    }
  }
}

TEST(FindLauncher, MemoryIsMovedForEveryType) {
  for (const DType type : kAllDTypes) {
    EXPECT_TRUE(is_vectorised(KernelId::fill, uniform(type)));
    EXPECT_TRUE(is_vectorised(KernelId::copy, uniform(type)));
  }
  EXPECT_FALSE(is_vectorised(KernelId::copy, {{DType::f32, DType::i32}}));
}

}  // namespace
}  // namespace amphora::conformance
