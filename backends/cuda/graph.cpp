#include "backends/cuda/graph.h"

#include <algorithm>
#include <span>

#include "amphora/core/error.h"
#include "amphora/kernel/operands.h"
#include "amphora/plan/hazards.h"
#include "backends/cuda/check.h"
#include "backends/cuda/graph_scratch.h"
#include "backends/cuda/launchers/launchers.h"
#include "backends/cuda/products.h"

namespace amphora::cuda {
namespace {

// A capture of a stream's work that ends in any case.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    // Relaxed: what this thread and others do beside it, such as loading a kernel at its first use, is not forbidden.
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "beginning to capture a graph");
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    if (stream_ == nullptr) return;
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(stream_, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();
  }

  // What is put into the stream next, as one call, waits for these earlier calls, counted from 0, and for no others.
  void begin_call(std::span<const std::size_t> waits_for) {
    std::vector<cudaGraphNode_t> nodes;
    for (const std::size_t call : waits_for) nodes.insert(nodes.end(), ends_[call].begin(), ends_[call].end());
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    check(cudaStreamUpdateCaptureDependencies(stream_, nodes.data(), nullptr, nodes.size(),
                                              cudaStreamSetCaptureDependencies),
          "ordering a graph");
  }

  // A call that put nothing there ends where those end that it waits for.
  void end_call() {
    cudaStreamCaptureStatus status{};
    const cudaGraphNode_t* nodes = nullptr;
    const cudaGraphEdgeData* edges = nullptr;
    std::size_t count = 0;
    check(cudaStreamGetCaptureInfo(stream_, &status, nullptr, nullptr, &nodes, &edges, &count), "capturing a graph");
    require(status == cudaStreamCaptureStatusActive, "cuda gave up capturing a graph");
    ends_.emplace_back(nodes, nodes + count);
  }

  Graph end() {
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(stream_, &graph);
    stream_ = nullptr;
    Graph result(graph);
    check(status, "capturing a graph");
    return result;
  }

 private:
  cudaStream_t stream_;                             // null: ended
  std::vector<std::vector<cudaGraphNode_t>> ends_;  // of each call: what comes after it waits for these
};

// Gives the stream its own scratch memory back.
class BorrowScratch {
 public:
  BorrowScratch(Stream& stream, GraphScratch& scratch) : stream_(stream) { stream.take_scratch_from(&scratch); }
  BorrowScratch(const BorrowScratch&) = delete;
  BorrowScratch& operator=(const BorrowScratch&) = delete;
  ~BorrowScratch() { stream_.take_scratch_from(nullptr); }

 private:
  Stream& stream_;
};

std::vector<plan::Access> accesses_of(const KernelCall& call, const Range& scratch) {
  std::vector<plan::Access> result{{scratch.begin, scratch.bytes, true}};
  for (int i = 0; i < call.buffer_count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    void* address = address_of(call, index);
    if (address == nullptr) continue;
    result.push_back({reinterpret_cast<Address>(address), call.buffers[index].bytes, writes(use_of(call, i, true))});
  }
  return result;
}

void rehearse(std::span<const KernelCall> calls, Stream& stream, GraphScratch& scratch) {
  for (const KernelCall& call : calls) {
    scratch.begin_call();
    find_launcher(call.id)(call, stream);
  }
}

Graph capture(std::span<const KernelCall> calls, Stream& stream, GraphScratch& scratch) {
  Capture capture(stream.handle());
  plan::Order order;
  for (const KernelCall& call : calls) {
    const Range own = scratch.begin_call();
    capture.begin_call(order.add(accesses_of(call, own)));
    find_launcher(call.id)(call, stream);
    capture.end_call();
  }
  return capture.end();
}

// What is compiled, for messages.
std::string str(std::span<const KernelCall> calls) {
  if (calls.empty()) return "no calls";
  return fmt::format("{} calls, from {} to {}", calls.size(), name_of(calls.front().id), name_of(calls.back().id));
}

GraphExec instantiate(const Graph& graph, std::span<const KernelCall> calls) {
  std::size_t nodes = 0;
  check(cudaGraphGetNodes(graph.get(), nullptr, &nodes), "looking at a graph");
  cudaGraphExec_t made = nullptr;
  check(cudaGraphInstantiate(&made, graph.get(), 0),
        fmt::format("making a graph of {} in {} nodes", str(calls), nodes));
  return GraphExec(made);
}

std::vector<CudaBuffer*> inputs_of(std::span<const KernelCall> calls) {
  std::vector<CudaBuffer*> result;
  for (const KernelCall& call : calls) {
    for (int i = 0; i < call.buffer_count; ++i) {
      auto* buffer = static_cast<CudaBuffer*>(call.buffers[static_cast<std::size_t>(i)].buffer);
      if (buffer == nullptr || buffer->kind() != MemoryKind::inputs) continue;
      if (std::find(result.begin(), result.end(), buffer) == result.end()) result.push_back(buffer);
    }
  }
  return result;
}

}  // namespace

CudaExecutable::CudaExecutable(std::vector<KernelCall> calls, Stream& stream)
    : Executable(std::move(calls)), inputs_(inputs_of(this->calls())) {
  // Products are timed now: a capture can wait for nothing.
  for (const KernelCall& call : this->calls()) {
    if (call.id == KernelId::matmul) plan_of(call, stream);
  }
  GraphScratch scratch;
  {
    const BorrowScratch borrowed(stream, scratch);
    rehearse(this->calls(), stream, scratch);
  }
  scratch.provide(stream);
  const BorrowScratch borrowed(stream, scratch);
  const Graph graph = capture(this->calls(), stream, scratch);
  graph_ = instantiate(graph, this->calls());
  scratch_ = scratch.release();
  check(cudaGraphUpload(graph_.get(), stream.handle()), "sending a graph to the device");
}

}  // namespace amphora::cuda
