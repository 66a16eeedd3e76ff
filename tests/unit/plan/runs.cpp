// Steps that passes have rewritten compute what they computed before: the same bits, or within bounds.
#include <algorithm>
#include <cmath>

#include "amphora/plan/dump.h"
#include "amphora/plan/passes/passes.h"
#include "support/cpu_test.h"
#include "support/recorded.h"

namespace amphora::plan {
namespace {

using namespace amphora::testing;  // NOLINT(google-build-using-namespace): as in the other tests of plans

class PlanRuns : public CpuTest {
 protected:
  PathOf path_of() const {
    return [this](KernelId kernel, const Spec& spec) {
      const Support support = device->supports(kernel, spec);
      return support.supported ? support.path : std::string();
    };
  }
  Tensor random_tensor(const Shape& shape, DType type = DType::f32) {
    return tensor(shape, random.normals(shape.count()), type);
  }
  Tensor random_weight(const Shape& shape, DType type = DType::f32) {
    return random_tensor(shape, type).set_requires_grad();
  }

  Random random;
};

AMPHORA_ON_CPU(PlanRuns);

constexpr PassOptions kEverything{.store_instead_of_accumulate = true, .fuse_epilogues = true};

// Layers that cast by themselves, a sum, an activation of its own, and three products of one input.
TEST_P(PlanRuns, AStepUnderAutocastKeepsItsBits) {
  for (const DType type : kLowTypes) {
    const Tensor x = random_tensor({12, 20});
    const Tensor w = random_weight({16, 20});
    const Tensor v = random_weight({16, 20});
    const Tensor out = random_weight({16, 16});
    const Tensor bias = random_weight({16});
    const auto step = [&] {
      Tensor loss;
      {
        const amp::Autocast autocast(type);
        const Tensor a = relu(linear(x, w, bias));
        const Tensor b = tanh(linear(x, v));
        const Tensor joined = a * b + linear(x, w);
        const Tensor y = linear(joined, out, bias, Activation::gelu);
        loss = mean(square(cast(y, DType::f32) - cast(cast(joined, DType::f32), type)));
      }
      loss.backward();
      return std::vector<Tensor>{loss, w.grad(), v.grad(), out.grad(), bias.grad()};
    };
    const Recorded recorded = record(*device, {x}, step);
    const Optimized optimized = optimize(recorded.plan, {}, path_of());
    EXPECT_LT(optimized.plan.calls.size(), recorded.plan.calls.size());
    const auto expected = run_plan(*device, recorded.plan, recorded);
    EXPECT_EQ(run_plan(*device, optimized.plan, recorded), expected)
        << describe(optimized.passes) << dump(optimized.plan);
  }
}

// A step of ops drawn at random on matrices of one shape and three types.
class RandomStep {
 public:
  RandomStep(Random& random, std::vector<Tensor> leaves) : leaves_(std::move(leaves)) {
    for (int i = 0; i < 14; ++i) ops_.push_back({random.bits(), random.bits(), random.bits()});
  }

  std::vector<Tensor> operator()() const {
    std::vector<Tensor> tensors = leaves_;
    for (const Op& op : ops_) tensors.push_back(apply(op, tensors));
    Tensor loss;
    for (const Tensor& t : {tensors.back(), tensors[tensors.size() - 2]}) {
      const Tensor part = mean(cast(t, DType::f32));
      loss = loss.defined() ? loss + part : part;
    }
    loss.backward();
    std::vector<Tensor> results{loss};
    for (const Tensor& leaf : leaves_) {
      if (leaf.grad().defined()) results.push_back(leaf.grad());
    }
    return results;
  }

 private:
  struct Op {
    std::uint32_t kind, first, second;
  };

  static Tensor apply(const Op& op, const std::vector<Tensor>& tensors) {
    const Tensor& a = tensors[op.first % tensors.size()];
    const Tensor& b = tensors[op.second % tensors.size()];
    constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16};
    switch (op.kind % 12) {
      case 0:
      case 1:
      case 2: return cast(a, kTypes[op.second % 3]);
      case 3: return relu(a);
      case 4: return tanh(a);
      case 5: return gelu(a);
      case 6: return a + b;
      case 7: return a * sigmoid(b);
      case 8: return a - mean(b, 0, true);
      case 9: return softmax(a);
      case 10: return matmul(cast(a, b.dtype()), transpose(b, 0, 1));  // the leaves are square
      default: return linear(cast(a, b.dtype()), b, Tensor(), Activation::relu);
    }
  }

  std::vector<Tensor> leaves_;
  std::vector<Op> ops_;
};

TEST_P(PlanRuns, RandomStepsKeepTheirBits) {
  int changes = 0;
  for (int round = 0; round < 40; ++round) {
    const std::vector<Tensor> leaves = {random_weight({9, 9}), random_weight({9, 9}, DType::f16),
                                        random_weight({9, 9}, DType::bf16), random_weight({9, 9})};
    const Recorded recorded = record(*device, {}, RandomStep(random, leaves));
    const Optimized optimized = optimize(recorded.plan, {}, path_of());
    for (const PassReport& report : optimized.passes) changes += report.changes;
    const auto expected = run_plan(*device, recorded.plan, recorded);
    ASSERT_EQ(run_plan(*device, optimized.plan, recorded), expected)
        << describe(optimized.passes) << dump(recorded.plan) << dump(optimized.plan);
  }
  EXPECT_GT(changes, 0);
}

// A product, a bias and a relu of their own are rounded to memory's type three times, fused once. With units u of that
// type, and v of f32, for c = x w: |fl(c) - c| <= u |c|, and each sum adds u (|c| + |b|); relu adds nothing.
TEST_P(PlanRuns, AFusedLayerIsWithinTheRoundingsThatItLeavesOut) {
  constexpr std::int64_t kRows = 7, kColumns = 5, kDepth = 30;
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    const double unit = type == DType::f32 ? 0x1p-24 : type == DType::f16 ? 0x1p-11 : 0x1p-8;
    const Tensor x = random_tensor({kRows, kDepth}, type);
    const Tensor w = random_tensor({kDepth, kColumns}, type);
    const Tensor bias = random_tensor({kColumns}, type);
    const Recorded recorded = record(*device, {x}, [&] { return std::vector<Tensor>{relu(matmul(x, w) + bias)}; });
    const Optimized fused = optimize(recorded.plan, kEverything, path_of());
    ASSERT_EQ(fused.plan.calls.size(), 1u) << dump(fused.plan);
    run_plan(*device, recorded.plan, recorded);
    const Values apart = recorded.results[0].to_doubles();
    run_plan(*device, fused.plan, recorded);
    const Values together = recorded.results[0].to_doubles();
    const Values xs = x.to_doubles(), ws = w.to_doubles(), bs = bias.to_doubles();
    for (std::int64_t i = 0; i < kRows * kColumns; ++i) {
      const std::int64_t row = i / kColumns, column = i % kColumns;
      double magnitude = 0.0;
      for (std::int64_t k = 0; k < kDepth; ++k) {
        magnitude += std::abs(xs[static_cast<std::size_t>(row * kDepth + k)] *
                              ws[static_cast<std::size_t>(k * kColumns + column)]);
      }
      const double b = std::abs(bs[static_cast<std::size_t>(column)]);
      const double roundings = unit * (3.0 * magnitude + 2.0 * b) * (1.0 + unit);
      const double sums = 2.0 * (kDepth + 1) * 0x1p-24 * (magnitude + b);  // in whatever order
      const double subnormals = 3.0 * 0x1p-25;
      const auto index = static_cast<std::size_t>(i);
      EXPECT_NEAR(together[index], apart[index], roundings + sums + subnormals) << name_of(type);
    }
  }
}

// The same for its gradients: dz = dy * slope is rounded once less before it is summed.
TEST_P(PlanRuns, AFusedGradientIsWithinTheRoundingsThatItLeavesOut) {
  constexpr std::int64_t kRows = 6, kWidth = 8;
  const Tensor x = random_tensor({kRows, kWidth}, DType::f16);
  const Tensor w = random_weight({kWidth, kWidth}, DType::f16);
  const Tensor v = random_weight({kWidth, kWidth}, DType::f16);
  const Tensor bias = random_weight({kWidth});
  const auto step = [&] {
    const Tensor hidden = linear(x, w, cast(bias, DType::f16), Activation::relu);
    sum(cast(linear(hidden, v), DType::f32)).backward();
    return std::vector<Tensor>{w.grad(), bias.grad()};
  };
  const Recorded recorded = record(*device, {x}, step);
  const Optimized fused = optimize(recorded.plan, kEverything, path_of());
  run_plan(*device, recorded.plan, recorded);
  const Values apart = recorded.results[0].to_doubles();
  run_plan(*device, fused.plan, recorded);
  const Values together = recorded.results[0].to_doubles();
  // dy of the hidden layer is the sum of v's columns; each of kRows terms of dw is off by 2 units of it at most.
  const Values xs = x.to_doubles(), vs = v.to_doubles();
  for (std::int64_t out = 0; out < kWidth; ++out) {
    double dy = 0.0;
    for (std::int64_t k = 0; k < kWidth; ++k) dy += std::abs(vs[static_cast<std::size_t>(k * kWidth + out)]);
    for (std::int64_t in = 0; in < kWidth; ++in) {
      double inputs = 0.0;
      for (std::int64_t row = 0; row < kRows; ++row) {
        inputs += std::abs(xs[static_cast<std::size_t>(row * kWidth + in)]);
      }
      const auto index = static_cast<std::size_t>(out * kWidth + in);
      EXPECT_NEAR(together[index], apart[index], 0x1p-11 * (3.0 + 1.0) * dy * inputs + 0x1p-24 * inputs) << index;
    }
  }
}

}  // namespace
}  // namespace amphora::plan
