#include "amphora/tensor/each_tensor.h"

#include <gtest/gtest.h>

#include "amphora/device/registry.h"

namespace amphora {
namespace {

struct Pair {
  Tensor first, second;
  int not_a_tensor = 0;
  auto tensors() { return std::tie(first, second); }
};
struct Nested {
  Pair pair;
  std::vector<Tensor> more;
  auto tensors() { return std::tie(pair, more); }
};

class EachTensor : public ::testing::Test {
 protected:
  Tensor number(float value) { return Tensor::from(*device_, {1}, std::vector<float>{value}); }
  template <class Batch>
  static std::vector<double> numbers(Batch& batch) {
    std::vector<double> found;
    each_tensor(batch, [&found](const Tensor& tensor) { found.push_back(tensor.item()); });
    return found;
  }

  std::shared_ptr<Device> device_ = open_device("cpu", {.threads = 1});
};

TEST_F(EachTensor, FindsThoseOfATensorAListAndAStructureInOrder) {
  const Tensor one = number(1);
  EXPECT_EQ(numbers(one), (std::vector<double>{1}));
  const std::vector<Tensor> list{number(1), number(2)};
  EXPECT_EQ(numbers(list), (std::vector<double>{1, 2}));
  const Nested nested{{number(1), number(2)}, {number(3)}};
  EXPECT_EQ(numbers(nested), (std::vector<double>{1, 2, 3}));
}

TEST_F(EachTensor, ReplacesThem) {
  Nested nested{{number(1), number(2)}, {number(3)}};
  each_tensor(nested, [this](Tensor& tensor) { tensor = number(10.0f * static_cast<float>(tensor.item())); });
  EXPECT_EQ(numbers(nested), (std::vector<double>{10, 20, 30}));
}

}  // namespace
}  // namespace amphora
