// Sizes that kernels don't take are refused, by each op with its name, before anything is launched.
#include "amphora/core/narrow.h"

#include <functional>

#include <gtest/gtest.h>

#include "amphora/amp/grad_scaler.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/ops/dropout.h"
#include "amphora/ops/loss.h"
#include "amphora/ops/matmul.h"
#include "amphora/ops/op.h"
#include "amphora/ops/pointwise.h"
#include "amphora/ops/reduce.h"
#include "amphora/ops/softmax.h"
#include "amphora/ops/view.h"
#include "amphora/optim/clip.h"
#include "backends/null/device.h"
#include "support/cpu_test.h"

namespace amphora {
namespace {

using testing::message_of;

TEST(Narrow, TakesAllThatLoopsMayStepPast) {
  EXPECT_EQ(narrow<std::uint32_t>(0xFF000000, "count"), 0xFF000000u);
  EXPECT_EQ(narrow<std::int32_t>(0x7F800000, "count"), 0x7F800000);
  EXPECT_THROW(narrow<std::uint32_t>(0xFF000001, "count"), Error);
  EXPECT_THROW(narrow<std::int32_t>(0x7F800001, "count"), Error);
  EXPECT_THROW(narrow<std::uint32_t>(-1, "count"), Error);
}

TEST(Narrow, TheMessageNamesTheOpTheSizeAndTheLimit) {
  const OpPlace place("forward", "matmul");
  EXPECT_EQ(message_of([] { narrow<std::int32_t>(5000000000, "number of columns"); }),
            "'matmul', forward: the number of columns is 5000000000, but kernels take 2139095040 at most; split the "
            "tensors, for example into smaller batches");
}

// The null device has no memory behind its buffers.
class HugeTensors : public ::testing::Test {
 protected:
  static constexpr std::int64_t kHuge = std::int64_t{1} << 32;

  Tensor tensor(const Shape& shape, DType dtype = DType::f32) { return Tensor::empty(device_, shape, dtype); }

  // Throws an error that begins with the op's name and names the size, and launches nothing.
  void expect_refused(std::string_view op, std::int64_t size, const std::function<void()>& run) {
    device_.reset_counters();
    const std::string message = message_of(run);
    EXPECT_TRUE(message.starts_with(fmt::format("'{}'", op))) << op << ": " << message;
    EXPECT_NE(message.find(fmt::format("is {}, but", size)), std::string::npos) << op << ": " << message;
    for (const std::uint64_t launches : device_.counters().launches) EXPECT_EQ(launches, 0u) << op;
  }

  null::NullDevice device_;
};

TEST_F(HugeTensors, AreRefusedByEachOp) {
  const Tensor x = tensor({kHuge});
  expect_refused("relu", kHuge, [&] { relu(x); });
  expect_refused("add", kHuge, [&] { add(x, x); });
  expect_refused("cast", kHuge, [&] { cast(x, DType::f16); });
  expect_refused("dropout", kHuge, [&] { dropout(x, 0.5f, {}); });
  expect_refused("sum", kHuge, [&] { sum(x, 0); });
  expect_refused("softmax", kHuge, [&] { softmax(x, 0); });
  expect_refused("max", kHuge, [&] { max(x, 0); });
  expect_refused("clip_grad_value", kHuge, [&] { optim::clip_grad_value(std::vector{x}, 1.0f); });
  // These begin with launches for numbers of their own.
  const std::string clipped = message_of([&] { optim::clip_grad_norm(std::vector{x}, 1.0f); });
  EXPECT_TRUE(clipped.starts_with("'clip_grad_norm'")) << clipped;
  amp::GradScaler scaler;
  const std::string scaled = message_of([&] { scaler.scale(x); });
  EXPECT_TRUE(scaled.starts_with("'scale'")) << scaled;
}

TEST_F(HugeTensors, AreRefusedWhereTheirAxesFitButTheirElementsDoNot) {
  const Tensor x = tensor({65536, 65536});
  expect_refused("softmax", kHuge, [&] { softmax(x, 1); });
  expect_refused("sum", kHuge, [&] { sum(x, 0); });
  const Tensor targets = tensor({65536}, DType::i32);
  expect_refused("cross_entropy", kHuge, [&] { cross_entropy(x, targets); });
  expect_refused("add", kHuge, [&] { add(tensor({65536, 1}), tensor({1, 65536})); });
}

TEST_F(HugeTensors, OfAProductAreRefusedBySize) {
  constexpr std::int64_t kColumns = 5000000000;
  expect_refused("matmul", kColumns, [&] { matmul(tensor({2, 3}), tensor({3, kColumns})); });
  expect_refused("matmul", kColumns, [&] { matmul(tensor({kColumns, 3}), tensor({3, 2})); });
  expect_refused("matmul", kColumns, [&] { matmul(tensor({2, kColumns}), tensor({kColumns, 2})); });
  expect_refused("linear", kColumns, [&] { linear(tensor({kColumns, 3}), tensor({2, 3}), tensor({2})); });
}

TEST_F(HugeTensors, AreRefusedOutsideOfOps) {
  const std::string message = message_of([&] { Tensor::zeros(device_, {kHuge}); });
  EXPECT_TRUE(message.starts_with("a tensor outside of ops: the number of elements is 4294967296")) << message;
}

// GPT-2's logits at 64 x 1024 tokens.
TEST_F(HugeTensors, OfMoreThanTwoToThe31ElementsAreTaken) {
  const Tensor logits = tensor({65536, 50304}, DType::f16);
  const Tensor targets = tensor({65536}, DType::i32);
  EXPECT_NO_THROW(cross_entropy(logits, targets));
  EXPECT_NO_THROW(softmax(logits, 1));
  EXPECT_NO_THROW(add(logits, logits));
  EXPECT_NO_THROW(cast(logits, DType::f32));
  EXPECT_NO_THROW(cast(transpose(logits, 0, 1), DType::f32));
  EXPECT_NO_THROW(sum(logits));
  EXPECT_NO_THROW(matmul(tensor({65536, 768}, DType::f16), tensor({768, 50304}, DType::f16)));
  EXPECT_NO_THROW(relu(reshape(logits, {-1})));
}

// Its elements are few, but 32 bits don't tell where the last one lies.
TEST_F(HugeTensors, ThatAViewReachesFarIntoAreRefused) {
  const Tensor column = slice(tensor({100000, 50000}), 1, 0, 1);
  const std::string message = message_of([&] { contiguous(column); });
  EXPECT_NE(message.find("kernel copy: buffer 'in' spans 4999950001 elements"), std::string::npos) << message;
}

TEST(Shape, MoreElementsThan64BitsCountAreAnError) {
  EXPECT_THROW((Shape{std::int64_t{1} << 40, std::int64_t{1} << 40}.count()), Error);
  EXPECT_EQ((Shape{std::int64_t{1} << 40, std::int64_t{1} << 40, 0}.count()), 0);
}

}  // namespace
}  // namespace amphora
