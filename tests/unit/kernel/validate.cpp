// What is asked of every call before a backend runs it, for all rows of the vocabulary.
#include "amphora/kernel/validate.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "amphora/device/registry.h"
#include "amphora/kernel/operands.h"

namespace amphora {
namespace {

// Every parameter is 2: two elements, two rows, rank 2, strides of 2.
struct Twos {
  std::array<std::uint32_t, kMaxParamBytes / 4> words;
  Twos() { words.fill(2); }
};

std::string refusal_of(const KernelCall& call) {
  try {
    validate(call);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

class ValidateTest : public ::testing::TestWithParam<int> {
 protected:
  KernelId id() const { return static_cast<KernelId>(GetParam()); }
  int operand_count() const { return static_cast<int>(info_of(id()).operands.size()); }
  std::string name_of_operand(int i) const { return std::string(operand_of(id(), i).name); }

  // Each buffer exactly as long as it must be.
  KernelCall exact_call() {
    KernelCall call(id(), uniform_spec(id(), DType::f32), Twos());
    for (int i = 0; i < operand_count(); ++i) {
      const OperandUse use = operand_use(call, i);
      if (use.access == Access::unused) {
        call.with({});
        continue;
      }
      const auto type = type_of(call, i);
      const std::size_t bytes =
          type ? static_cast<std::size_t>(use.layout.span()) * size_of(*type) : operand_of(id(), i).state_bytes;
      buffers_.push_back(device_->allocate(bytes, MemoryKind::activations));
      call.with({buffers_.back().get(), 0, bytes});
    }
    return call;
  }

  std::shared_ptr<Device> device_ = open_device("null");
  std::vector<BufferPtr> buffers_;
};

TEST_P(ValidateTest, TakesBuffersThatAreJustLongEnough) { EXPECT_EQ(refusal_of(exact_call()), ""); }

TEST_P(ValidateTest, RefusesABufferThatIsTooShort) {
  const KernelCall exact = exact_call();
  for (int i = 0; i < operand_count(); ++i) {
    if (exact.at(i).buffer == nullptr) continue;
    KernelCall call = exact;
    ASSERT_GT(call.at(i).bytes, 0u) << name_of_operand(i);
    --call.at(i).bytes;
    const std::string message = refusal_of(call);
    EXPECT_NE(message.find("'" + name_of_operand(i) + "'"), std::string::npos) << message;
    EXPECT_NE(message.find("are needed"), std::string::npos) << message;
  }
}

TEST_P(ValidateTest, RefusesACallWithoutABufferThatItNeeds) {
  const KernelCall exact = exact_call();
  for (int i = 0; i < operand_count(); ++i) {
    KernelCall call = exact;
    call.at(i) = {};
    const std::string message = refusal_of(call);
    if (operand_use(exact, i).needed) {
      EXPECT_NE(message.find("'" + name_of_operand(i) + "' is missing"), std::string::npos) << message;
    } else {
      EXPECT_EQ(message, "");
    }
  }
}

TEST_P(ValidateTest, RefusesARangeBehindTheEndOfItsBuffer) {
  const KernelCall exact = exact_call();
  for (int i = 0; i < operand_count(); ++i) {
    if (exact.at(i).buffer == nullptr) continue;
    KernelCall call = exact;
    call.at(i).offset = 1;
    EXPECT_NE(refusal_of(call).find("leave buffer '" + name_of_operand(i) + "'"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, ValidateTest, ::testing::Range(0, kKernelCount),
                         [](const auto& test) { return std::string(name_of(static_cast<KernelId>(test.param))); });

// The spans by hand, since the tests above take them from the rows.
TEST(Validate, CountsTheGapsOfStridedOperands) {
  const auto device = open_device("null");
  const BufferPtr buffer = device->allocate(1024, MemoryKind::activations);
  const auto message_of = [&](KernelCall call, const std::vector<std::size_t>& bytes) {
    for (const std::size_t size : bytes) call.with({size > 0 ? buffer.get() : nullptr, 0, size});
    return refusal_of(call);
  };
  // A 2 x 3 matrix whose rows are 5 apart ends at element 8; its transpose, 2 apart, at 2 * 2 + 2.
  const KernelCall copy(KernelId::copy, {}, CopyParams{2, {2, 3}, {5, 1}, {1, 2}});
  EXPECT_EQ(message_of(copy, {32, 24}), "");
  EXPECT_EQ(message_of(copy, {31, 24}), "kernel copy: buffer 'in' has 31 bytes, but 32 are needed");
  EXPECT_EQ(message_of(copy, {32, 23}), "kernel copy: buffer 'out' has 23 bytes, but 24 are needed");
  // 2 x 4 times 4 x 3; a is stored transposed, 4 rows of 2 that are 6 apart: 3 * 6 + 2. Two batches of c, 10 apart.
  MatmulParams params{2, 3, 4, 2, 6, 3, 3, 0, 0, 10, 1.0f, 0.0f};
  const KernelCall product(KernelId::matmul, Spec{.flags = kMatmulTransposeA}, params);
  EXPECT_EQ(message_of(product, {80, 48, 64}), "");
  EXPECT_EQ(message_of(product, {79, 48, 64}), "kernel matmul: buffer 'a' has 79 bytes, but 80 are needed");
  EXPECT_EQ(message_of(product, {80, 47, 64}), "kernel matmul: buffer 'b' has 47 bytes, but 48 are needed");
  EXPECT_EQ(message_of(product, {80, 48, 63}), "kernel matmul: buffer 'c' has 63 bytes, but 64 are needed");
}

TEST(Validate, RefusesAFunctionThatDoesNotExist) {
  const KernelCall call(KernelId::reduce, Spec{.function = 3}, ReduceParams{1, 1, 1, 1.0f, 0});
  EXPECT_EQ(refusal_of(call), "kernel reduce: there is no function 3");
}

TEST(Validate, AnOptimizerHasTheStatesOfItsRule) {
  const auto device = open_device("null");
  const BufferPtr buffer = device->allocate(1024, MemoryKind::activations);
  const auto refusal = [&](OptimizerRule rule, const std::array<bool, 3>& states) {
    KernelCall call(KernelId::optimizer_step, Spec{.function = static_cast<std::uint8_t>(rule)},
                    OptimizerParams{1, {}, {}});
    const BufferRange all{buffer.get(), 0, 1024};
    call.with(all).with(all).with({});
    for (const bool present : states) call.with(present ? all : BufferRange{});
    return refusal_of(call.with(all));
  };
  EXPECT_EQ(refusal(OptimizerRule::adam, {true, true, false}), "");
  EXPECT_EQ(refusal(OptimizerRule::adam, {true, false, false}), "kernel optimizer_step: buffer 'second' is missing");
  EXPECT_NE(refusal(OptimizerRule::adam, {true, true, true}).find("'third' is given"), std::string::npos);
  EXPECT_EQ(refusal(OptimizerRule::rmsprop, {true, false, true}), "");
}

TEST(Validate, RefusesABufferThatTheFlagsLeaveUnused) {
  const auto device = open_device("null");
  const BufferPtr buffer = device->allocate(1024, MemoryKind::activations);
  KernelCall call(KernelId::matmul, {}, MatmulParams{1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1.0f, 0.0f});
  const BufferRange range{buffer.get(), 0, 4};
  call.with(range).with(range).with(range).with({}).with({}).with(range);
  EXPECT_NE(refusal_of(call).find("'bias_gradient' is given"), std::string::npos);
}

}  // namespace
}  // namespace amphora
