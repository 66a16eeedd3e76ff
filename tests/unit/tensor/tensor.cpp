// Tensors: creation, views, transfers, and what they refuse.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class TensorTest : public CpuTest {
 protected:
  Tensor grid(DType dtype = DType::f32) { return tensor({2, 3}, {1, 2, 3, 4, 5, 6}, dtype); }
};
AMPHORA_ON_CPU(TensorTest);

TEST_P(TensorTest, HostValuesAreRoundedToTheType) {
  const Values values = {1.0 / 3, -2.75, 100000, 0};
  EXPECT_TRUE(same_values(vector(values, DType::f64), values));
  EXPECT_TRUE(same_values(vector(values), {static_cast<float>(1.0 / 3), -2.75, 100000, 0}));
  EXPECT_TRUE(same_values(vector(values, DType::f16), {0.333251953125, -2.75, kInf, 0}));
  EXPECT_TRUE(same_values(vector(values, DType::bf16), {0.333984375, -2.75, 99840, 0}));
  EXPECT_TRUE(same_values(vector(values, DType::i32), {0, -2, 100000, 0}));
}

TEST_P(TensorTest, FillsOfEveryType) {
  for (const DType type : kAllDTypes) {
    EXPECT_TRUE(same_values(Tensor::full(*device, {3}, 5, type), {5, 5, 5})) << name_of(type);
    EXPECT_TRUE(same_values(Tensor::zeros(*device, {2}, type), {0, 0})) << name_of(type);
  }
}

TEST_P(TensorTest, AFillIsRoundedOnce) {
  EXPECT_EQ(Tensor::full(*device, {2}, 0.1, DType::f64).to_doubles(), (Values{0.1, 0.1}));
  EXPECT_EQ(Tensor::full(*device, {1}, 16777217, DType::i32).item(), 16777217);
  EXPECT_EQ(Tensor::full(*device, {1}, 1 + 0x1p-11 + 0x1p-40, DType::f16).item(), 1 + 0x1p-10);
  EXPECT_EQ(Tensor::full(*device, {1}, kInf, DType::f16).item(), kInf);
  EXPECT_TRUE(same_values(Tensor::full(*device, {1}, kNan, DType::f64), {kNan}));
}

TEST_P(TensorTest, TheNumberOfValuesMustFit) {
  EXPECT_THROW(tensor({2, 2}, {1, 2, 3}), Error);
  EXPECT_THROW(parameter_of({2}, {1, 2, 3}), Error);
  Tensor t = grid();
  EXPECT_THROW(t.assign(std::vector<float>{1}), Error);
}

TEST_P(TensorTest, AnUndefinedTensorSaysSo) {
  const Tensor undefined;
  EXPECT_FALSE(undefined.defined());
  EXPECT_FALSE(undefined.requires_grad());
  EXPECT_THROW(undefined.shape(), Error);
  EXPECT_THROW(undefined.dtype(), Error);
  EXPECT_THROW(undefined.device(), Error);
  EXPECT_THROW(undefined.to_vector(), Error);
  EXPECT_THROW(undefined + grid(), Error);
}

TEST_P(TensorTest, ItemNeedsOneElement) {
  EXPECT_EQ(scalar(7).item(), 7);
  EXPECT_EQ(tensor({1, 1}, {7}).item(), 7);
  EXPECT_EQ(message_of([&] { grid().item(); }),
            "item() needs a tensor with one element, but this one has shape [2, 3]");
}

TEST_P(TensorTest, StridedViewsAreReadInTheirOrder) {
  EXPECT_TRUE(same_values(transpose(grid()), {1, 4, 2, 5, 3, 6}));
  EXPECT_TRUE(same_values(slice(grid(), 1, 1, 2), {2, 3, 5, 6}));
  EXPECT_TRUE(same_values(slice(grid(), 0, 1, 1), {4, 5, 6}));
  EXPECT_TRUE(same_values(expand(vector({1, 2}), {2, 2}), {1, 2, 1, 2}));
  EXPECT_TRUE(same_values(transpose(slice(grid(), 1, 0, 2)), {1, 4, 2, 5}));
}

TEST_P(TensorTest, ContiguityIsThatOfTheOrderInMemory) {
  EXPECT_TRUE(grid().is_contiguous());
  EXPECT_FALSE(transpose(grid()).is_contiguous());
  EXPECT_TRUE(slice(grid(), 0, 1, 1).is_contiguous());
  EXPECT_FALSE(slice(grid(), 1, 0, 2).is_contiguous());
  EXPECT_FALSE(expand(vector({1}), {3}).is_contiguous());
  EXPECT_TRUE(transpose(tensor({1, 3}, {1, 2, 3})).is_contiguous());  // an axis of one element may carry any stride
  EXPECT_TRUE(scalar(1).is_contiguous());
  EXPECT_TRUE(slice(transpose(grid()), 0, 0, 0).is_contiguous());
}

TEST_P(TensorTest, AViewSharesElements) {
  const Tensor base = grid();
  Tensor row = slice(base, 0, 1, 1);
  row.assign(std::vector<float>{-1, -2, -3});
  EXPECT_TRUE(same_values(base, {1, 2, 3, -1, -2, -3}));
  Tensor strided = transpose(base);
  EXPECT_THROW(strided.assign(std::vector<float>(6)), Error);
}

TEST_P(TensorTest, RebindKeepsHandlesTogether) {
  Tensor a = grid();
  const Tensor other_handle = a;
  a.rebind(tensor({2, 3}, {6, 5, 4, 3, 2, 1}));
  EXPECT_TRUE(same_values(other_handle, {6, 5, 4, 3, 2, 1}));
  EXPECT_THROW(a.rebind(vector({1})), Error);
  EXPECT_THROW(a.rebind(grid(DType::f16)), Error);
}

TEST_P(TensorTest, ConversionsOfEveryPair) {
  for (const DType from : kAllDTypes) {
    for (const DType to : kAllDTypes) {
      const Tensor converted = cast(grid(from), to);
      EXPECT_EQ(converted.dtype(), to);
      EXPECT_TRUE(same_values(converted, {1, 2, 3, 4, 5, 6})) << name_of(from) << " to " << name_of(to);
      EXPECT_TRUE(same_values(cast(transpose(grid(from)), to), {1, 4, 2, 5, 3, 6}));
    }
  }
  const Tensor x = grid();
  EXPECT_TRUE(cast(x, DType::f32).is_same(x));
}

TEST_P(TensorTest, EmptyTensorsPassThroughOps) {
  const Tensor none = tensor({0, 3}, {});
  EXPECT_EQ(none.count(), 0);
  EXPECT_EQ(relu(none).shape(), (Shape{0, 3}));
  EXPECT_EQ((none + vector({1, 2, 3})).shape(), (Shape{0, 3}));
  EXPECT_EQ(matmul(none, tensor({3, 2}, {1, 2, 3, 4, 5, 6})).shape(), (Shape{0, 2}));
  EXPECT_EQ(cat({none, grid()}, 0).shape(), (Shape{2, 3}));
  EXPECT_EQ(sum(none).item(), 0);
  EXPECT_EQ(cast(none, DType::f16).count(), 0);
  EXPECT_TRUE(none.to_vector().empty());
}

TEST_P(TensorTest, OnlyReadingWaits) {
  device->reset_counters();
  const Tensor y = matmul(grid(), transpose(grid()));
  EXPECT_EQ(device->counters().waits, 0u);
  y.to_vector();
  EXPECT_EQ(device->counters().waits, 1u);
}

TEST_P(TensorTest, AWriteGrowsTheVersion) {
  Tensor x = grid();
  const std::uint64_t before = x.buffer()->version();
  relu(x);
  EXPECT_EQ(x.buffer()->version(), before);
  x.assign(std::vector<float>(6));
  EXPECT_GT(x.buffer()->version(), before);
}

TEST_P(TensorTest, OpsOnTwoDevicesAreAnError) {
  const auto other = open_device("cpu", {.threads = 1, .cpu_oracle = true});
  const Tensor elsewhere = Tensor::full(*other, {3}, 1);
  EXPECT_NE(message_of([&] { add(vector({1, 2, 3}), elsewhere); }).find("two devices"), std::string::npos);
}

}  // namespace
}  // namespace amphora::testing
