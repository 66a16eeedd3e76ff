// Compiled steps that cannot be made, or that fail: each gives one clear message, and the device goes on where it can.
#include "amphora/core/error.h"
#include "graphs_test.h"

namespace amphora::cuda {
namespace {

TEST_F(CudaGraphs, AGraphThatCannotBeMadeIsNamedAndTheDeviceGoesOn) {
  const auto device = open_cuda();
  const SmallStep step(*device, random.bits64());
  const BufferPtr x = input(*device);
  const auto message = [&](cudaError_t error) {
    const GraphFault fault({.instantiate = error, .lost_edges = {}});
    return message_of([&] { device->compile(step.calls(x)); });
  };
  for (const char* part : {"making a graph of 8 calls, from cast to accumulate in 10 nodes", "cudaErrorNotSupported"}) {
    EXPECT_NE(message(cudaErrorNotSupported).find(part), std::string::npos) << message(cudaErrorNotSupported);
  }
  const GraphFault fault({.instantiate = cudaErrorMemoryAllocation, .lost_edges = {}});
  EXPECT_THROW(device->compile(step.calls(x)), OutOfMemory);
  emulator::set_graph_faults({});
  EXPECT_TRUE(replays_like_its_calls(*device, 2));
}

TEST_F(CudaGraphs, AStepWithoutRoomForItsIntermediateResultsIsRefusedAndTheDeviceGoesOn) {
  const Machine machine("memory=128M");
  const auto device = open_cuda();
  std::vector<BufferPtr> held;
  const BufferPtr ramp = buffer_of(*device, std::vector<float>(300'000, 1.0f));
  const BufferPtr result = device->allocate(sizeof(float), MemoryKind::activations);
  // Down to the pool's smallest block.
  for (std::size_t bytes = 32 * kMebibyte; bytes >= 256; bytes /= 2) {
    try {
      while (true) held.push_back(device->allocate(bytes, MemoryKind::activations));
    } catch (const OutOfMemory&) {
    }
  }
  const std::string message = message_of([&] { device->compile({sum(ramp, result)}); });
  EXPECT_NE(message.find("asked for the intermediate results of a compiled step"), std::string::npos) << message;
  held.clear();
  const auto executable = device->compile({sum(ramp, result)});
  device->submit(*executable);
  EXPECT_EQ(values_of<float>(*device, *result)[0], 300'000.0f);
}

TEST_F(CudaGraphs, AfterACallThatIsRefusedTheDeviceGoesOn) {
  const auto device = open_cuda();
  const SmallStep step(*device, random.bits64());
  const BufferPtr x = input(*device), group = device->allocate(sizeof(GroupState), MemoryKind::optimizer_state);
  std::vector<KernelCall> calls = step.calls(x);
  const Spec adam{.types = {}, .function = static_cast<std::uint8_t>(OptimizerRule::adam)};
  calls.push_back(KernelCall(KernelId::optimizer_step, adam, OptimizerParams{kInputs, {}, {}})
                      .with(all_of(step.left))
                      .with(all_of(step.right))
                      .with({})
                      .with({})
                      .with({})
                      .with({})
                      .with(all_of(group)));
  EXPECT_NE(message_of([&] { device->compile(calls); }).find("buffer 'first' is missing"), std::string::npos);
  EXPECT_TRUE(replays_like_its_calls(*device, 2));
}

TEST_F(CudaGraphs, AfterAnErrorWithinACaptureTheDeviceGoesOn) {
  const auto device = open_cuda();
  const BufferPtr x = input(*device);
  {
    const Machine machine("image=none");
    const std::string message = message_of([&] { device->compile({affine(x, x, 1.0f, 0.0f)}); });
    EXPECT_NE(message.find("no kernels for this device's architecture"), std::string::npos) << message;
  }
  EXPECT_TRUE(replays_like_its_calls(*device, 2));
}

TEST_F(CudaGraphs, WithSynchronousKernelsAStepRunsCallByCall) {
  const Variable sync("AMPHORA_CUDA_SYNC", "1");
  const GraphFault fault({.instantiate = cudaErrorNotSupported, .lost_edges = {}});  // none is asked for
  const auto device = open_cuda();
  EXPECT_TRUE(replays_like_its_calls(*device, 4));
}

using CudaGraphsDeathTest = CudaGraphs;

[[noreturn]] void exit_after_fault_in_graph(CudaDevice& device, const std::vector<KernelCall>& calls,
                                            const std::string& expected) {
  const Machine machine("fault=2");
  const std::string message = message_of([&] {
    const auto executable = device.compile(calls);
    device.submit(*executable);
    device.wait();
  });
  const bool named = message.find(expected) != std::string::npos;
  if (!named) std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(named ? 0 : 1);
}

TEST_F(CudaGraphsDeathTest, AFaultInAGraphIsSeenAtTheNextWait) {
  const auto device = open_cuda();
  const BufferPtr x = input(*device);
  EXPECT_EXIT(exit_after_fault_in_graph(*device, {affine(x, x, 1.0f, 0.0f), affine(x, x, 1.0f, 0.0f)},
                                        "a compiled step was launched last"),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(CudaGraphsDeathTest, AFaultInAStepIsSeenWhereItHappensWhenAsked) {
  const Variable sync("AMPHORA_CUDA_SYNC", "1");
  const auto device = open_cuda();
  const BufferPtr x = input(*device);
  EXPECT_EXIT(exit_after_fault_in_graph(*device, {affine(x, x, 1.0f, 0.0f), affine(x, x, 1.0f, 0.0f)},
                                        "seen while running unary"),
              ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace amphora::cuda
