// Executables: a recorded step gives the bits of its calls launched one by one, however submits, launches, uploads and
// readbacks mingle, and without a wait.
#include <array>
#include <deque>

#include "amphora/core/error.h"
#include "backends/vulkan/matmul_tiles.h"
#include "calls.h"

namespace amphora::vulkan {
namespace {

using ::amphora::testing::message_of;
using ::amphora::testing::Random;

// Some of what a training step has: products that are cut into slices, sums and norms, which all want scratch memory,
// and chains through the same memory. What one step leaves behind, the next one reads.
struct Step {
  static constexpr int kRows = 16;
  static constexpr int kDepth = 8192;
  static constexpr int kColumns = 8;
  static constexpr MatmulParams kProduct{kRows, kColumns, kDepth, 1, kDepth, kColumns, kColumns, 0, 0, 0, 1.0f, 0.0f};

  Step(Device& device, const std::vector<float>& first_weights)
      : weights(buffer_of(device, first_weights)),
        product(device.allocate(kRows * kColumns * sizeof(float), MemoryKind::activations)),
        other(device.allocate(product->bytes(), MemoryKind::activations)),
        norm(buffer_of(device, std::vector<float>{0.5f})),
        total(device.allocate(sizeof(float), MemoryKind::activations)) {
    for (BufferPtr& input : inputs) input = device.allocate(kRows * kDepth * sizeof(float), MemoryKind::inputs);
  }

  static std::vector<float> normals(Random& random, int count) {
    const auto values = random.normals(count);
    return {values.begin(), values.end()};
  }

  std::vector<KernelCall> calls(std::size_t slot) const {
    const auto multiply = [&](const BufferPtr& c) {
      return KernelCall(KernelId::matmul, Spec{}, kProduct)
          .with(all_of(inputs[slot]))
          .with(all_of(weights))
          .with(all_of(c));
    };
    const GradientNormParams two{kRows * kColumns, 2.0f};
    const CountParams all{kRows * kColumns};
    return {multiply(product),
            multiply(other),  // the scratch of the product before it
            affine(other, other, -0.5f, 0.125f),
            KernelCall(KernelId::accumulate, Spec{}, all).with(all_of(other)).with(all_of(product)),
            KernelCall(KernelId::gradient_norm, Spec{}, two).with(all_of(product)).with(all_of(norm)),
            sum(all_of(inputs[slot]), all_of(total)),
            affine(weights, weights, 0.75f, 0.001f),
            KernelCall(KernelId::accumulate, Spec{}, CountParams{1}).with(all_of(total)).with(all_of(norm))};
  }

  std::array<BufferPtr, 2> inputs;
  BufferPtr weights;
  BufferPtr product;
  BufferPtr other;
  BufferPtr norm;
  BufferPtr total;
};

TEST_F(VulkanTest, AReplayHasTheBitsOfLaunchingOneByOne) {
  constexpr int kSteps = 24;
  constexpr std::size_t kInFlight = 5;
  const auto device = open_vulkan();
  ASSERT_GT(choose(tilings(Spec{}, device->capabilities()), Step::kProduct, device->capabilities()).slices, 1u);
  Random random;
  const std::vector<float> weights = Step::normals(random, Step::kDepth * Step::kColumns);
  const Step launched(*device, weights);
  const Step replayed(*device, weights);
  std::vector<std::vector<float>> batches;
  for (int i = 0; i < kSteps; ++i) batches.push_back(Step::normals(random, Step::kRows * Step::kDepth));

  std::vector<float> want;
  for (int i = 0; i < kSteps; ++i) {
    const std::size_t slot = static_cast<std::size_t>(i) % 2;
    device->upload(*launched.inputs[slot], 0, std::as_bytes(std::span(batches[static_cast<std::size_t>(i)])));
    for (const KernelCall& call : launched.calls(slot)) device->launch(call);
    want.push_back(values_of<float>(*device, *launched.norm)[0]);
  }

  const std::array executables{device->compile(replayed.calls(0)), device->compile(replayed.calls(1))};
  std::vector<std::unique_ptr<Readback>> ring;
  for (std::size_t i = 0; i < kInFlight; ++i) ring.push_back(device->read_later(*replayed.norm, 0, sizeof(float)));
  std::vector<float> got;
  const auto collect = [&](Readback& readback) {
    float value = 0.0f;
    std::memcpy(&value, readback.get().data(), sizeof(value));
    got.push_back(value);
  };
  device->wait();
  device->reset_counters();
  for (std::size_t i = 0; i < kSteps; ++i) {
    Readback& readback = *ring[i % kInFlight];
    if (i >= kInFlight) collect(readback);
    device->upload(*replayed.inputs[i % 2], 0, std::as_bytes(std::span(batches[i])));
    device->submit(*executables[i % 2]);
    readback.restart();
  }
  for (std::size_t i = 0; i < kInFlight; ++i) collect(*ring[(kSteps + i) % kInFlight]);
  EXPECT_EQ(device->counters().allocations, 0u);
  EXPECT_EQ(device->counters().waits, 0u);
  EXPECT_EQ(device->counters().launches[static_cast<std::size_t>(KernelId::matmul)], 2u * kSteps);
  EXPECT_EQ(got, want);
  for (const auto& [a, b] : {std::pair(&launched.weights, &replayed.weights), {&launched.product, &replayed.product}}) {
    EXPECT_EQ(values_of<float>(*device, **b), values_of<float>(*device, **a));
  }
}

// Small integers, so that every order but the right one shows.
TEST_F(VulkanTest, SubmitsLaunchesAndCopiesRunInTheirOrder) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(1000, 1.0f));
  const BufferPtr y = buffer_of(*device, std::vector<float>(1000, 0.0f));
  const auto executable = device->compile({affine(x, y, 2.0f, 1.0f), affine(y, x, 1.0f, -3.0f)});
  Random random;
  float want = 1.0f;
  std::deque<std::pair<std::unique_ptr<Readback>, float>> readbacks;
  for (int i = 0; i < 200; ++i) {
    switch (random.bits() % 4) {
      case 0:
        device->submit(*executable);
        want = 2.0f * want - 2.0f;
        break;
      case 1:
        device->launch(affine(x, x, 0.5f, 0.0f));
        want *= 0.5f;
        break;
      case 2:
        want = static_cast<float>(i);
        device->upload(*x, 999 * sizeof(float), std::as_bytes(std::span(&want, 1)));
        break;
      default: readbacks.emplace_back(device->read_later(*x, 999 * sizeof(float), sizeof(float)), want);
    }
  }
  for (const auto& [readback, value] : readbacks) {
    float got = 0.0f;
    std::memcpy(&got, readback->get().data(), sizeof(got));
    EXPECT_EQ(got, value);
  }
  EXPECT_EQ(values_of<float>(*device, *x)[999], want);
}

TEST_F(VulkanTest, OneExecutableMayBeInFlightManyTimes) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100, 0.0f));
  const auto executable = device->compile({affine(x, x, 1.0f, 1.0f), affine(x, x, 1.0f, 2.0f)});
  for (int i = 0; i < 1000; ++i) device->submit(*executable);
  EXPECT_EQ(values_of<float>(*device, *x), std::vector<float>(100, 3000.0f));
}

TEST_F(VulkanTest, AReadbackThatIsRestartedHasWhatTheMemoryHeldThen) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const auto executable = device->compile({affine(x, x, 2.0f, 0.0f)});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  const auto value = [&] {
    float result = 0.0f;
    std::memcpy(&result, readback->get().data(), sizeof(result));
    return result;
  };
  device->submit(*executable);
  readback->restart();
  device->submit(*executable);
  EXPECT_EQ(value(), 2.0f);
  readback->restart();
  readback->restart();  // behind the other one
  EXPECT_EQ(value(), 4.0f);
  device->submit(*executable);
  EXPECT_EQ(value(), 4.0f);
}

// Its scratch memory is handed out again at once, to a buffer that is written before the executable has run.
TEST_F(VulkanTest, AnExecutableMayGoWhileItRuns) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(kManyFloats, 1.0f));
  const BufferPtr y = buffer_of(*device, std::vector<float>{0.0f});
  for (int i = 0; i < 20; ++i) {
    auto executable = device->compile({affine(x, x, 1.0f, 1.0f), sum(all_of(x), all_of(y))});
    device->submit(*executable);
    device->submit(*executable);
    executable.reset();
    const BufferPtr taken = buffer_of(*device, std::vector<float>(1024, -1.0f));
    EXPECT_EQ(values_of<float>(*device, *taken), std::vector<float>(1024, -1.0f));
    EXPECT_EQ(values_of<float>(*device, *y)[0], static_cast<float>(kManyFloats) * static_cast<float>(2 * i + 3));
  }
}

TEST_F(VulkanTest, AnExecutableMayGoAfterTheDevice) {
  auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(kManyFloats, 1.0f));
  const BufferPtr y = device->allocate(sizeof(float), MemoryKind::activations);
  const auto executable = device->compile({sum(all_of(x), all_of(y))});
  for (int i = 0; i < 10; ++i) device->submit(*executable);
  device.reset();
}

// While it lives, submits fail with `result`.
template <VkResult result>
class FailingSubmits {
 public:
  FailingSubmits() {
    vkQueueSubmit2 = [](VkQueue, std::uint32_t, const VkSubmitInfo2*, VkFence) { return result; };
  }
  FailingSubmits(const FailingSubmits&) = delete;
  FailingSubmits& operator=(const FailingSubmits&) = delete;
  ~FailingSubmits() { vkQueueSubmit2 = original_; }

 private:
  PFN_vkQueueSubmit2 original_ = vkQueueSubmit2;
};

TEST_F(VulkanTest, ASubmitThatFailsSaysWhyAndMayBeTriedAgain) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const auto executable = device->compile({affine(x, x, 2.0f, 0.0f)});
  device->wait();
  {
    const FailingSubmits<VK_ERROR_OUT_OF_HOST_MEMORY> failing;
    EXPECT_THROW(device->submit(*executable), OutOfMemory);
  }
  device->submit(*executable);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 2.0f);
  const FailingSubmits<VK_ERROR_DEVICE_LOST> failing;
  const std::string message = message_of([&] { device->submit(*executable); });
  EXPECT_NE(message.find("lost the device while submitting a compiled step"), std::string::npos) << message;
}

TEST_F(VulkanTest, AnExecutableWithNothingToDoIsLegal) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const BufferPtr none = device->allocate(0, MemoryKind::activations);
  const auto empty = device->compile({});
  const auto nothing = device->compile({affine(none, none, 1.0f, 1.0f)});
  device->submit(*empty);
  device->submit(*nothing);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 1.0f);
}

}  // namespace
}  // namespace amphora::vulkan
