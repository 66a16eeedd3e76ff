// Compiled steps: the graph's edges, what a replay leaves, and scratch memory.
#include <algorithm>

#include "amphora/core/error.h"
#include "backends/cuda/graph_scratch.h"
#include "graphs_test.h"

namespace amphora::cuda {
namespace {

using emulator::GraphEdges;

GraphEdges sorted(GraphEdges edges) {
  for (auto& waits_for : edges) std::sort(waits_for.begin(), waits_for.end());
  return edges;
}

TEST_F(CudaGraphs, AReplayLeavesTheBitsOfItsCallsOneByOne) {
  const auto device = open_cuda();
  EXPECT_TRUE(replays_like_its_calls(*device, 12));
}

TEST_F(CudaGraphs, EdgesAreWhereCallsShareMemory) {
  const auto device = open_cuda();
  const SmallStep step(*device, random.bits64());
  device->compile(step.calls(input(*device)));
  // The product and the sum are two nodes each.
  EXPECT_EQ(emulator::edges_of_last_graph(), (GraphEdges{{}, {}, {0}, {2}, {1}, {}, {5}, {6}, {4}, {3}}));
}

TEST_F(CudaGraphs, BranchesMeet) {
  const auto device = open_cuda();
  const BufferPtr x = input(*device), a = input(*device), b = input(*device);
  const KernelCall join = KernelCall(KernelId::accumulate, {}, CountParams{kInputs}).with(all_of(a)).with(all_of(b));
  device->compile({affine(x, a, 1.0f, 0.0f), affine(x, b, 1.0f, 0.0f), join, affine(b, x, 1.0f, 0.0f)});
  EXPECT_EQ(sorted(emulator::edges_of_last_graph()), (GraphEdges{{}, {}, {0, 1}, {2}}));
}

// What comes after a call without work waits for all that this one waits for.
TEST_F(CudaGraphs, ACallWithoutWorkHandsItsEdgesOn) {
  const auto device = open_cuda();
  const BufferPtr x = input(*device), y = input(*device), z = input(*device);
  const BufferPtr stats = input(*device);
  const auto nothing =
      KernelCall(KernelId::unscale, {}, CountParams{0}).with(all_of(y)).with(all_of(z)).with(all_of(stats));
  device->compile({affine(x, y, 1.0f, 0.0f), affine(z, z, 2.0f, 0.0f), nothing, affine(z, z, 1.0f, 0.0f),
                   affine(x, x, 1.0f, 0.0f)});
  EXPECT_EQ(sorted(emulator::edges_of_last_graph()), (GraphEdges{{}, {}, {0, 1}, {0}}));
}

TEST_F(CudaGraphs, AnEdgeThatIsMissingShows) {
  const auto device = open_cuda();
  const SmallStep step(*device, random.bits64());
  device->compile(step.calls(input(*device)));
  const GraphEdges edges = emulator::edges_of_last_graph();
  for (std::size_t to = 0; to < edges.size(); ++to) {
    for (const std::size_t from : edges[to]) {
      const GraphFault fault({.instantiate = 0, .lost_edges = {{from, to}}});
      EXPECT_FALSE(replays_like_its_calls(*device, 4)) << from << " to " << to;
    }
  }
}

TEST_F(CudaGraphs, ReplaysAskForNoMemory) {
  const auto device = open_cuda();
  const SmallStep step(*device, random.bits64());
  const BufferPtr x = input(*device);
  const auto executable = device->compile(step.calls(x));
  upload_fresh(*device, {x});
  device->submit(*executable);
  device->reset_counters();
  for (int i = 0; i < 10; ++i) {
    upload_fresh(*device, {x});
    device->submit(*executable);
  }
  EXPECT_EQ(device->counters().allocations, 0u);
  EXPECT_EQ(device->counters().waits, 0u);
  EXPECT_EQ(device->counters().launches[static_cast<std::size_t>(KernelId::unary)], 30u);
}

// Whoever gets the scratch memory of an executable that is gone comes behind it.
TEST_F(CudaGraphs, AnExecutableMayGoWhileItRuns) {
  const auto device = open_cuda();
  const BufferPtr ramp = buffer_of(*device, std::vector<float>(300'000, 1.0f));
  const BufferPtr result = device->allocate(sizeof(float), MemoryKind::activations);
  for (int i = 0; i < 4; ++i) {
    auto executable = device->compile({sum(ramp, result)});
    device->submit(*executable);
    executable.reset();
    std::vector<BufferPtr> others;
    for (int j = 0; j < 8; ++j) others.push_back(buffer_of(*device, std::vector<float>(64, 9.0f)));
    EXPECT_EQ(values_of<float>(*device, *result)[0], 300'000.0f);
  }
}

TEST_F(CudaGraphs, AnEmptyStepIsLegal) {
  const auto device = open_cuda();
  const auto executable = device->compile({});
  device->submit(*executable);
  device->wait();
}

// --- scratch memory ---

TEST_F(CudaGraphs, CallsThatAreFarApartShareScratchMemory) {
  const auto device = open_cuda();
  const Capabilities capabilities = inspect(0);
  const auto pool = std::make_shared<BlockPool>(make_memory(capabilities));
  Stream stream(capabilities, *pool);
  GraphScratch scratch;
  const auto needs = std::vector<std::size_t>{20, 20, 0, 20, 20};  // MiB
  for (const std::size_t need : needs) {
    EXPECT_EQ(scratch.begin_call().bytes, 0u);
    EXPECT_EQ(scratch.take(need * kMebibyte), nullptr);
  }
  scratch.provide(stream);
  EXPECT_EQ(pool->in_use(), 64 * kMebibyte);
  std::vector<Range> ranges;
  for (const std::size_t need : needs) {
    ranges.push_back(scratch.begin_call());
    EXPECT_EQ(ranges.back().bytes, need * kMebibyte);
    EXPECT_EQ(reinterpret_cast<Address>(scratch.take(need * kMebibyte)), ranges.back().begin);
    EXPECT_THROW(scratch.take(1), Error);
  }
  EXPECT_EQ(ranges[1].begin, ranges[0].end());
  EXPECT_EQ(ranges[3].begin, ranges[1].end());
  EXPECT_EQ(ranges[4].begin, ranges[0].begin);
}

// Products of 16 MiB of sums each, which have nothing else in common.
TEST_F(CudaGraphs, CallsThatShareScratchMemoryAreOrdered) {
  const Variable untuned("AMPHORA_CUDA_TUNE", "0");
  const auto device = open_cuda();
  constexpr int kSize = 2048, kInner = 8;
  const auto room = [&](int columns) {
    return device->allocate(std::size_t{kSize} * static_cast<std::size_t>(columns) * 2, MemoryKind::activations);
  };
  const BufferPtr x = room(kInner), w = room(kInner);
  const Spec spec{.types = {DType::f16, DType::f16, DType::f16, DType::f16},
                  .function = static_cast<std::uint8_t>(Activation::silu),
                  .flags = kMatmulTransposeB};
  const MatmulParams params{kSize, kSize, kInner, 1, kInner, kInner, kSize, 0, 0, 0, 1.0f, 0.0f};
  std::vector<BufferPtr> results;
  std::vector<KernelCall> calls;
  for (int i = 0; i < 5; ++i) {
    results.push_back(room(kSize));
    calls.push_back(
        KernelCall(KernelId::matmul, spec, params).with(all_of(x)).with(all_of(w)).with(all_of(results.back())));
  }
  device->compile(calls);
  // Each is a product and its epilogue.
  EXPECT_EQ(emulator::edges_of_last_graph(), (GraphEdges{{}, {0}, {}, {2}, {}, {4}, {}, {6}, {1}, {8}}));
}

TEST_F(CudaGraphs, ACallThatNeedsMuchGetsIt) {
  const auto device = open_cuda();
  const Capabilities capabilities = inspect(0);
  const auto pool = std::make_shared<BlockPool>(make_memory(capabilities));
  Stream stream(capabilities, *pool);
  GraphScratch scratch;
  for (const std::size_t need : std::vector<std::size_t>{1, 100, 1}) {
    scratch.begin_call();
    scratch.take(need * kMebibyte);
  }
  scratch.provide(stream);
  EXPECT_EQ(pool->in_use(), 100 * kMebibyte);
}

}  // namespace
}  // namespace amphora::cuda
