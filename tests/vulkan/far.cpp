// Arrays that 32 bits don't address give the same bits: here every array is taken for one.
#include <functional>

#include "amphora/ops/dropout.h"
#include "amphora/ops/loss.h"
#include "amphora/ops/matmul.h"
#include "amphora/ops/op.h"
#include "amphora/ops/pointwise.h"
#include "amphora/ops/reduce.h"
#include "amphora/ops/softmax.h"
#include "amphora/ops/view.h"
#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

using Function = std::function<Tensor(const Tensor& x)>;

class VulkanFar : public VulkanTest {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    if (IsSkipped()) return;
    Candidate candidate = select({});
    near_ = std::make_shared<VulkanDevice>(candidate);
    candidate.capabilities.near_bytes = 0;
    far_ = std::make_shared<VulkanDevice>(candidate);
  }

  // What a function of x and its gradient are.
  static std::vector<float> run(Device& device, const Shape& shape, std::span<const float> values, DType dtype,
                                const Function& function) {
    const Tensor x = Tensor::from(device, shape, values, dtype).set_requires_grad();
    const Tensor y = function(x);
    sum(cast(mul(y, y), DType::f32)).backward();
    std::vector<float> results = y.to_vector();
    const std::vector<float> gradient = x.grad().to_vector();
    results.insert(results.end(), gradient.begin(), gradient.end());
    return results;
  }

  void expect_same(const Shape& shape, const Function& function) {
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (float& value : values) value = static_cast<float>(random_.normal());
    for (const DType dtype : {DType::f32, DType::f16}) {
      SCOPED_TRACE(name_of(dtype));
      EXPECT_EQ(run(*near_, shape, values, dtype, function), run(*far_, shape, values, dtype, function));
    }
  }

 private:
  std::shared_ptr<VulkanDevice> near_, far_;
  testing::Random random_;
};

TEST_F(VulkanFar, FlatKernels) {
  for (const std::int64_t count : {1003, 4096}) {
    expect_same({count}, [](const Tensor& x) { return dropout(gelu(x), 0.25f, {1, 2}); });
  }
}

TEST_F(VulkanFar, StridedKernels) {
  expect_same({12, 20}, [](const Tensor& x) { return mul(transpose(x, 0, 1), slice(reshape(x, {20, 12}), 1, 0, 1)); });
}

TEST_F(VulkanFar, Reductions) {
  expect_same({3, 1001, 7}, [](const Tensor& x) { return max(x, 1); });
  expect_same({1 << 18}, [](const Tensor& x) { return reshape(sum(x), {1}); });
}

TEST_F(VulkanFar, Rows) {
  expect_same({9, 301}, [](const Tensor& x) { return softmax(x, 1); });
  expect_same({9, 32}, [](const Tensor& x) { return log_softmax(x, 1); });
  expect_same({5, 33}, [](const Tensor& x) {
    const std::vector<std::int32_t> targets = {0, 32, 7, -1, 4};
    const Tensor labels = Tensor::from(x.device(), {5}, std::span<const std::int32_t>(targets));
    return slice(cross_entropy(x, labels, LossReduction::none), 0, 0, 3);
  });
}

TEST_F(VulkanFar, Products) {
  expect_same({2, 50, 37}, [](const Tensor& x) { return matmul(transpose(x, 1, 2), x); });
  expect_same({64, 64}, [](const Tensor& x) { return matmul(x, transpose(x, 0, 1)); });
  // A long sum is cut into slices.
  expect_same({8, 5000}, [](const Tensor& x) { return matmul(x, transpose(x, 0, 1)); });
}

}  // namespace
}  // namespace amphora::vulkan
