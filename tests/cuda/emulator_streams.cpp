// The emulator of CUDA's streams and graphs: that a missing order shows, and what a capture forbids.
#include <algorithm>
#include <cstring>
#include <set>

#include "cuda_emulator/emulator.h"
#include "graphs_test.h"

namespace amphora::cuda {
namespace {

struct Step {
  int* value;
  int factor;
  int summand;
};
__global__ void step(Step s) { *s.value = *s.value * s.factor + s.summand; }

// Two streams, and numbers in memory.
class CudaEmulatorStreams : public CudaTest {
 protected:
  void SetUp() override {
    for (cudaStream_t& stream : streams)
      ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  }
  void TearDown() override {
    for (const cudaStream_t stream : streams) cudaStreamDestroy(stream);
    cudaEventDestroy(event);
  }

  static cudaError_t put(cudaStream_t stream, int& value, int factor, int summand) {
    cudaLaunchConfig_t config{};
    config.gridDim = 1;
    config.blockDim = 1;
    config.stream = stream;
    return cudaLaunchKernelEx(&config, step, Step{&value, factor, summand});
  }
  static std::vector<cudaGraphNode_t> ends_of(cudaStream_t stream) {
    cudaStreamCaptureStatus status{};
    const cudaGraphNode_t* nodes = nullptr;
    const cudaGraphEdgeData* edges = nullptr;
    std::size_t count = 0;
    EXPECT_EQ(cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, &edges, &count), cudaSuccess);
    EXPECT_EQ(status, cudaStreamCaptureStatusActive);
    return {nodes, nodes + count};
  }

  cudaStream_t streams[2] = {};
  cudaEvent_t event = nullptr;
};

TEST_F(CudaEmulatorStreams, WorkWaitsUntilSomebodyWaitsForIt) {
  int value = 1;
  put(streams[0], value, 2, 3);
  EXPECT_EQ(value, 1);
  cudaEventRecord(event, streams[0]);
  put(streams[0], value, 10, 0);
  cudaEventSynchronize(event);
  EXPECT_EQ(value, 5);
  cudaStreamSynchronize(streams[0]);
  EXPECT_EQ(value, 50);
}

TEST_F(CudaEmulatorStreams, WhoAsksAgainAndAgainSeesTheDeviceGoOn) {
  int value = 1;
  for (int i = 0; i < 3; ++i) put(streams[0], value, 2, 0);
  cudaEventRecord(event, streams[0]);
  int questions = 1;
  while (cudaEventQuery(event) == cudaErrorNotReady) ++questions;
  EXPECT_GT(questions, 1);
  EXPECT_EQ(value, 8);
}

// The emulator throws a die between streams that do not wait for each other.
constexpr int kThrows = 16;

std::set<int> outcomes(const std::function<int()>& run) {
  std::set<int> result;
  for (int i = 0; i < kThrows; ++i) result.insert(run());
  return result;
}

TEST_F(CudaEmulatorStreams, AWaitThatIsMissingShows) {
  for (const bool waits : {true, false}) {
    const auto values = outcomes([&] {
      int value = 1;
      put(streams[0], value, 1, 5);
      cudaEventRecord(event, streams[0]);
      if (waits) cudaStreamWaitEvent(streams[1], event, 0);
      put(streams[1], value, 10, 0);
      cudaStreamSynchronize(streams[1]);
      cudaDeviceSynchronize();
      return value;
    });
    EXPECT_EQ(values == std::set<int>{60}, waits);
  }
}

TEST_F(CudaEmulatorStreams, WorkOfOtherStreamsMayComeFirst) {
  const auto values = outcomes([&] {
    int value = 1;
    put(streams[0], value, 1, 5);
    put(streams[1], value, 10, 0);
    cudaStreamSynchronize(streams[0]);  // without the other's work, or after it
    const int seen = value;
    cudaDeviceSynchronize();
    return seen;
  });
  EXPECT_EQ(values, (std::set<int>{6, 15}));
}

TEST_F(CudaEmulatorStreams, ACaptureRunsNothingAndAGraphRunsItsNodesWithTheArgumentsOfThen) {
  int value = 1;
  ASSERT_EQ(cudaStreamBeginCapture(streams[0], cudaStreamCaptureModeRelaxed), cudaSuccess);
  put(streams[0], value, 2, 0);
  put(streams[0], value, 1, 3);
  EXPECT_EQ(ends_of(streams[0]).size(), 1u);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(streams[0], &graph), cudaSuccess);
  cudaStreamSynchronize(streams[0]);
  EXPECT_EQ(value, 1);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  cudaGraphDestroy(graph);
  for (const int expected : {5, 13, 29}) {
    ASSERT_EQ(cudaGraphLaunch(executable, streams[1]), cudaSuccess);
    cudaStreamSynchronize(streams[1]);
    EXPECT_EQ(value, expected);
  }
  cudaGraphLaunch(executable, streams[1]);
  cudaGraphExecDestroy(executable);  // while it is queued
  cudaStreamSynchronize(streams[1]);
  EXPECT_EQ(value, 61);
}

TEST_F(CudaEmulatorStreams, NodesWithoutAnEdgeRunInOtherOrdersThanThatOfTheCapture) {
  int value = 0;
  cudaStreamBeginCapture(streams[0], cudaStreamCaptureModeRelaxed);
  for (int i = 1; i <= 4; ++i) {
    ASSERT_EQ(cudaStreamUpdateCaptureDependencies(streams[0], nullptr, nullptr, 0, cudaStreamSetCaptureDependencies),
              cudaSuccess);
    put(streams[0], value, 10, i);
  }
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(streams[0], &graph), cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  EXPECT_EQ(emulator::edges_of_last_graph(), (emulator::GraphEdges{{}, {}, {}, {}}));
  std::vector<int> values;
  for (int i = 0; i < 6; ++i) {
    value = 0;
    cudaGraphLaunch(executable, streams[0]);
    cudaStreamSynchronize(streams[0]);
    values.push_back(value);
  }
  cudaGraphExecDestroy(executable);
  EXPECT_EQ(values.front(), 4321);
  EXPECT_GT(std::count_if(values.begin(), values.end(), [](int v) { return v != 4321 && v != 1234; }), 0);
}

TEST_F(CudaEmulatorStreams, DependenciesAreSetAndAdded) {
  int value = 0;
  cudaStreamBeginCapture(streams[0], cudaStreamCaptureModeRelaxed);
  std::vector<cudaGraphNode_t> nodes;
  const auto depend = [&](std::vector<cudaGraphNode_t> on, unsigned how) {
    return cudaStreamUpdateCaptureDependencies(streams[0], on.data(), nullptr, on.size(), how);
  };
  for (int i = 0; i < 3; ++i) {
    depend({}, cudaStreamSetCaptureDependencies);
    put(streams[0], value, 1, 1);
    nodes.push_back(ends_of(streams[0]).front());
  }
  depend({nodes[0]}, cudaStreamAddCaptureDependencies);
  put(streams[0], value, 1, 1);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(streams[0], &graph), cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  cudaGraphInstantiate(&executable, graph, 0);
  EXPECT_EQ(emulator::edges_of_last_graph(), (emulator::GraphEdges{{}, {}, {}, {2, 0}}));
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
  EXPECT_EQ(depend({}, cudaStreamSetCaptureDependencies), cudaErrorIllegalState);
  cudaGetLastError();
}

// Whatever asks for memory or waits ends the capture, and is told so.
TEST_F(CudaEmulatorStreams, ACaptureForbidsMemoryAndWaits) {
  void* memory = nullptr;
  const std::function<cudaError_t()> forbidden[] = {
      [&] { return cudaMalloc(&memory, 256); },
      [&] { return cudaHostAlloc(&memory, 256, 0); },
      [&] { return cudaStreamSynchronize(streams[0]); },
      [&] { return cudaStreamSynchronize(streams[1]); },
      [&] { return cudaDeviceSynchronize(); },
      [&] { return cudaEventSynchronize(event); },
      [&] { return cudaEventQuery(event); },
  };
  for (const auto& call : forbidden) {
    int value = 0;
    ASSERT_EQ(cudaStreamBeginCapture(streams[0], cudaStreamCaptureModeRelaxed), cudaSuccess);
    EXPECT_EQ(call(), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(put(streams[0], value, 1, 1), cudaErrorStreamCaptureInvalidated);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(streams[0], &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    cudaGetLastError();
    EXPECT_EQ(put(streams[0], value, 1, 1), cudaSuccess);
    cudaStreamSynchronize(streams[0]);
    EXPECT_EQ(value, 1);
  }
}

}  // namespace
}  // namespace amphora::cuda
