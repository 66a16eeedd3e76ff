// TF32 reaches the products of its regions, forward and backward, and nothing else.
#include "backends/null/device.h"
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

// Notes the flag of every product.
class Watcher : public null::NullDevice {
 public:
  std::vector<bool> products;

 protected:
  void do_launch(const KernelCall& call) override {
    NullDevice::do_launch(call);
    if (call.id == KernelId::matmul) products.push_back((call.spec.flags & kMatmulTf32) != 0);
  }
};

class OpsTf32 : public ::testing::Test {
 protected:
  Tensor leaf(const Shape& shape, DType type = DType::f32) {
    Tensor t = Tensor::empty(*device, shape, type);
    t.set_requires_grad(true);
    return t;
  }

  std::shared_ptr<Watcher> device = std::make_shared<Watcher>();
};

TEST_F(OpsTf32, ForwardAndBackwardProductsOfARegionMayUseIt) {
  const Tensor x = leaf({4, 8});
  const Tensor w = leaf({6, 8});
  Tensor loss;
  {
    const amp::Autocast region(Precision::tf32);
    loss = sum(matmul(linear(x, w), leaf({6, 2})));
  }
  loss.backward();
  EXPECT_EQ(device->products, std::vector<bool>(6, true));
}

TEST_F(OpsTf32, OutsideOfARegionNoProductDoesNotEvenInBackward) {
  const Tensor x = leaf({4, 8});
  const Tensor loss = sum(linear(x, leaf({6, 8})));
  const amp::Autocast region(Precision::tf32);
  loss.backward();
  EXPECT_EQ(device->products, std::vector<bool>(3, false));
}

TEST_F(OpsTf32, ProductsOf16BitTypesHaveNoUseForIt) {
  const amp::Autocast region(Precision::tf32);
  matmul(leaf({4, 8}, DType::f16), leaf({8, 6}, DType::f16));
  EXPECT_EQ(device->products, std::vector<bool>(1, false));
}

}  // namespace
}  // namespace amphora::testing
