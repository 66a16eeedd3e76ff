// Inputs that are copied beside the step that runs: what overlaps, and that no result shows it.
#include <cstring>

#include "graphs_test.h"

namespace amphora::cuda {
namespace {

constexpr std::size_t kInputCount = 4096;
constexpr int kTries = 16;  // the emulator throws a die between streams that do not wait for each other

BufferPtr room(Device& device, MemoryKind kind = MemoryKind::activations) {
  return device.allocate(kInputCount * sizeof(float), kind);
}

void upload(Device& device, const BufferPtr& target, float value) {
  const std::vector<float> values(kInputCount, value);
  device.upload(*target, 0, std::as_bytes(std::span(values)));
}

// Of memory that the emulator shares with the host: what the device has done so far.
float first_now(const BufferPtr& buffer) {
  float value = 0.0f;
  std::memcpy(&value, data_of(*buffer, 0), sizeof(value));
  return value;
}

struct Turns {
  explicit Turns(CudaDevice& device) {
    for (int i = 0; i < 2; ++i) {
      inputs.push_back(room(device, MemoryKind::inputs));
      results.push_back(room(device));
      steps.push_back(device.compile({affine(inputs.back(), results.back(), 1.0f, 0.0f)}));
      upload(device, inputs.back(), static_cast<float>(i));
    }
  }
  std::vector<BufferPtr> inputs, results;
  std::vector<std::unique_ptr<Executable>> steps;
};

TEST_F(CudaGraphs, NewInputsMayArriveBeforeTheStepThatWasSubmittedLastRuns) {
  const auto device = open_cuda();
  const Turns turns(*device);
  int overtook = 0;
  for (int i = 1; i <= kTries; ++i) {
    const auto value = static_cast<float>(i);
    upload(*device, turns.inputs[1], value);
    device->wait();
    device->submit(*turns.steps[0]);
    device->submit(*turns.steps[1]);
    upload(*device, turns.inputs[0], 100.0f * value);
    ASSERT_EQ(cudaStreamSynchronize(device->stream().copies()), cudaSuccess);
    EXPECT_EQ(first_now(turns.inputs[0]), 100.0f * value);
    EXPECT_EQ(first_now(turns.results[0]), i == 1 ? 0.0f : 100.0f * (value - 1.0f));
    if (first_now(turns.results[1]) != value) ++overtook;
    device->wait();
    EXPECT_EQ(first_now(turns.results[1]), value);
  }
  EXPECT_GT(overtook, 0);
}

TEST_F(CudaGraphs, ACopyWaitsForTheStepThatReadsWhatItReplaces) {
  const auto device = open_cuda();
  const Turns turns(*device);
  for (int i = 0; i < kTries; ++i) {
    const auto turn = static_cast<std::size_t>(i % 2);
    upload(*device, turns.inputs[turn], static_cast<float>(i));
    device->submit(*turns.steps[turn]);
    const auto readback = device->read_later(*turns.results[turn], 0, sizeof(float));
    upload(*device, turns.inputs[turn], -1.0f);
    float first = 0.0f;
    std::memcpy(&first, readback->get().data(), sizeof(first));
    ASSERT_EQ(first, static_cast<float>(i));
  }
}

TEST_F(CudaGraphs, AStepWaitsForItsInputs) {
  const auto device = open_cuda();
  const Turns turns(*device);
  for (int i = 0; i < kTries; ++i) {
    const auto turn = static_cast<std::size_t>(i % 2);
    device->submit(*turns.steps[turn]);
    upload(*device, turns.inputs[turn], static_cast<float>(i));
    device->submit(*turns.steps[turn]);
    ASSERT_EQ(values_of<float>(*device, *turns.results[turn])[kInputCount - 1], static_cast<float>(i));
  }
}

TEST_F(CudaGraphs, AnEagerCallWaitsForInputs) {
  const auto device = open_cuda();
  const Turns turns(*device);
  const BufferPtr& x = turns.inputs[0];
  const BufferPtr y = room(*device);
  for (int i = 0; i < kTries; ++i) {
    device->submit(*turns.steps[0]);
    upload(*device, x, static_cast<float>(i));
    launch_affine(x, y, 1.0f, 0.5f);
    EXPECT_EQ(values_of<float>(*device, *y)[kInputCount - 1], static_cast<float>(i) + 0.5f);
  }
}

TEST_F(CudaGraphs, ACopyWaitsForAnEagerCall) {
  const auto device = open_cuda();
  const Turns turns(*device);
  const BufferPtr& x = turns.inputs[0];
  const BufferPtr y = room(*device);
  for (int i = 0; i < kTries; ++i) {
    upload(*device, x, static_cast<float>(i));
    device->submit(*turns.steps[0]);
    launch_affine(x, y, 1.0f, 0.5f);
    upload(*device, x, -1.0f);
    EXPECT_EQ(values_of<float>(*device, *y)[kInputCount - 1], static_cast<float>(i) + 0.5f);
  }
}

TEST_F(CudaGraphs, AReadbackOfInputsKeepsTheOrder) {
  const auto device = open_cuda();
  const Turns turns(*device);
  const BufferPtr& x = turns.inputs[0];
  const auto readback = device->read_later(*x, 0, x->bytes());
  const auto first = [&] {
    float value = 0.0f;
    std::memcpy(&value, readback->get().data(), sizeof(value));
    return value;
  };
  for (int i = 0; i < kTries; ++i) {
    device->submit(*turns.steps[0]);
    upload(*device, x, 1.0f);
    readback->restart();
    upload(*device, x, 2.0f);
    EXPECT_EQ(first(), 1.0f);
    device->submit(*turns.steps[0]);
    readback->restart();
    upload(*device, x, 3.0f);
    EXPECT_EQ(first(), 2.0f);
  }
}

// The memory of a buffer that is gone goes to the next one, while a copy into it is under way.
TEST_F(CudaGraphs, ABufferMayGoWhileACopyIntoItRuns) {
  const auto device = open_cuda();
  for (int i = 0; i < kTries; ++i) {
    BufferPtr x = room(*device, MemoryKind::inputs);
    const BufferPtr y = room(*device);
    auto step = device->compile({affine(x, y, 1.0f, 0.0f)});
    device->submit(*step);
    upload(*device, x, 3.0f);
    const void* memory = data_of(*x, 0);
    step.reset();
    x.reset();
    const BufferPtr next = room(*device);
    ASSERT_EQ(data_of(*next, 0), memory);
    upload(*device, next, 5.0f);
    device->wait();
    EXPECT_EQ(first_now(next), 5.0f);
  }
}

// Waits that say so, and those that move memory about: nothing may be under way behind them.
TEST_F(CudaGraphs, AWaitIsForCopiesToo) {
  const auto device = open_cuda();
  const Turns turns(*device);
  device->submit(*turns.steps[0]);
  upload(*device, turns.inputs[0], 11.0f);
  device->wait();
  EXPECT_EQ(first_now(turns.inputs[0]), 11.0f);
}

}  // namespace
}  // namespace amphora::cuda
