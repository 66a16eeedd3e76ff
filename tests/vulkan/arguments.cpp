// Arguments that exceed push constants reach a shader through memory.
#include <array>
#include <cstring>
#include <span>

#include "backends/vulkan/executable.h"
#include "vulkan_test.h"

namespace amphora::vulkan {

std::span<const std::uint32_t> shader_weighted();  // of arguments.comp

namespace {

constexpr std::size_t kCount = 40;
using Numbers = std::array<float, kCount>;
static_assert(2 * sizeof(std::uint64_t) + sizeof(Numbers) > kMaxPushBytes);

Numbers filled(float value) {
  Numbers numbers;
  numbers.fill(value);
  return numbers;
}

class VulkanArguments : public VulkanTest {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    if (IsSkipped()) return;
    const Candidate candidate = select({});
    capabilities_ = candidate.capabilities;
    device_ = std::make_shared<LogicalDevice>(candidate);
    allocator_ = std::make_unique<Allocator>(device_, capabilities_);
    queue_ = std::make_shared<Queue>(device_, *allocator_);
    pipelines_ = std::make_unique<Pipelines>(device_, capabilities_);
    pipelines_->add("weighted", shader_weighted());
    encoder_ = std::make_unique<CommandEncoder>(*queue_, *allocator_, *pipelines_, capabilities_);
    x_ = allocator_->take(sizeof(Numbers));
    write(filled(2.0f));
  }
  void TearDown() override {
    if (queue_ == nullptr) return;
    queue_->stop();
    device_->instance().throw_complaint();
  }

  // x *= weights
  void multiply(CommandEncoder& encoder, const Numbers& weights) {
    encoder.begin_call();
    Push push;
    push.add_buffer(*x_, true).add_buffer(*x_, true).add(weights);
    encoder.dispatch("weighted", KernelCall(KernelId::cast, {}, CountParams{kCount}), push, {});
  }

  void write(const Numbers& numbers) {
    const Queue::Staging staging = queue_->stage(sizeof numbers);
    std::memcpy(staging.buffer->data() + staging.offset, numbers.data(), sizeof numbers);
    staging.buffer->flush(staging.offset, sizeof numbers);
    encoder_->copy({staging.buffer->handle(), staging.offset, 0}, {x_->buffer(), x_->offset(), x_->address()},
                   sizeof numbers);
  }

  Numbers read() {
    const auto buffer = queue_->take_readback(sizeof(Numbers));
    encoder_->copy({x_->buffer(), x_->offset(), x_->address()}, {buffer->handle(), 0, 0}, sizeof(Numbers));
    queue_->wait_idle();
    buffer->invalidate(0, sizeof(Numbers));
    Numbers numbers;
    std::memcpy(numbers.data(), buffer->data(), sizeof numbers);
    return numbers;
  }

  Capabilities capabilities_;
  std::shared_ptr<LogicalDevice> device_;
  std::unique_ptr<Allocator> allocator_;
  std::shared_ptr<Queue> queue_;
  std::unique_ptr<Pipelines> pipelines_;
  std::unique_ptr<CommandEncoder> encoder_;
  std::unique_ptr<Block> x_;
};

TEST_F(VulkanArguments, EachDispatchHasItsOwn) {
  Numbers weights;
  for (std::size_t i = 0; i < kCount; ++i) weights[i] = static_cast<float>(i);
  multiply(*encoder_, weights);
  multiply(*encoder_, filled(3.0f));  // through the memory that the first one's came by
  for (float& weight : weights) weight *= 6.0f;
  EXPECT_EQ(read(), weights);
}

TEST_F(VulkanArguments, AreThereEachTimeThatARecordingRuns) {
  {
    Recording recording(queue_);
    CommandEncoder encoder(recording, *allocator_, *pipelines_, capabilities_, CommandEncoder::Mode::executable);
    multiply(encoder, filled(3.0f));
    multiply(encoder, filled(5.0f));
    recording.end();
    const auto scratch = encoder.take_scratch();
    EXPECT_EQ(scratch.size(), 1u);
    for (int i = 0; i < 3; ++i) recording.submit(*queue_);
    queue_->wait_idle();
  }
  EXPECT_EQ(read(), filled(2.0f * 15.0f * 15.0f * 15.0f));
}

}  // namespace
}  // namespace amphora::vulkan
