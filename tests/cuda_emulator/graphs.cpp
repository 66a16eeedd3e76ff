// The CUDA runtime's functions for capture and graphs.
#include "cuda_emulator/graphs.h"

#include <algorithm>
#include <map>
#include <queue>
#include <utility>

#include "cuda_emulator/context.h"
#include "cuda_emulator/emulator.h"

namespace amphora::emulator {
namespace {

struct Node {
  Run run;
  std::size_t waits_for = 0;  // so many
  std::vector<std::size_t> next;
};

std::map<cudaStream_t, Capture> captures;
GraphEdges last_edges;
GraphFaults faults;

// Of the nodes that may run, the one that was captured last, by turns with any: the further a graph's order is from
// that of its capture, the more edges that are missing show.
void run_graph(const std::vector<Node>& nodes, std::size_t launch) {
  const auto rank = [launch](std::size_t node) {
    return launch % 2 == 0 ? node : (node + 1) * (launch + 1) * 0x9E37'79B9'7F4A'7C15 >> 32;
  };
  std::priority_queue<std::pair<std::size_t, std::size_t>> ready;  // by rank
  std::vector<std::size_t> waits_for;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    waits_for.push_back(nodes[node].waits_for);
    if (waits_for.back() == 0) ready.emplace(rank(node), node);
  }
  while (!ready.empty()) {
    const Node& node = nodes[ready.top().second];
    ready.pop();
    node.run();
    for (const std::size_t next : node.next) {
      if (--waits_for[next] == 0) ready.emplace(rank(next), next);
    }
  }
}

}  // namespace

cudaError_t Capture::add(Run run) {
  if (!is_valid) return cudaErrorStreamCaptureInvalidated;
  auto node = std::make_unique<CUgraphNode_st>();
  *node = {graph->nodes.size(), std::move(run), std::move(next_waits_for)};
  next_waits_for = {node.get()};
  graph->nodes.push_back(std::move(node));
  return cudaSuccess;
}

Capture* capture_of(cudaStream_t stream) {
  const auto found = captures.find(stream);
  return found == captures.end() ? nullptr : &found->second;
}

cudaError_t refused_in_capture() {
  const std::lock_guard lock(streams_mutex());
  for (auto& [stream, capture] : captures) capture.is_valid = false;
  return captures.empty() ? cudaSuccess : noted(cudaErrorStreamCaptureUnsupported);
}

std::recursive_mutex& streams_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

GraphEdges edges_of_last_graph() { return last_edges; }
void set_graph_faults(const GraphFaults& wanted) { faults = wanted; }

}  // namespace amphora::emulator

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace): this file is part of it

struct CUgraphExec_st {
  std::shared_ptr<const std::vector<Node>> nodes;
  std::size_t launches = 0;
};

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  if (stream == nullptr || capture_of(stream) != nullptr) return noted(cudaErrorStreamCaptureUnsupported);
  captures[stream];
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(streams_mutex());
  Capture* capture = capture_of(stream);
  *graph = nullptr;
  if (capture == nullptr) return noted(cudaErrorIllegalState);
  const bool is_valid = capture->is_valid;
  if (is_valid) *graph = capture->graph.release();
  captures.erase(stream);
  return is_valid ? state() : noted(cudaErrorStreamCaptureInvalidated);
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status, unsigned long long*,
                                     cudaGraph_t*, const cudaGraphNode_t** waits_for, const cudaGraphEdgeData**,
                                     std::size_t* count) {
  const std::lock_guard lock(streams_mutex());
  const Capture* capture = capture_of(stream);
  *status = capture == nullptr  ? cudaStreamCaptureStatusNone
            : capture->is_valid ? cudaStreamCaptureStatusActive
                                : cudaStreamCaptureStatusInvalidated;
  if (*status != cudaStreamCaptureStatusActive) return state();
  if (waits_for != nullptr) *waits_for = capture->next_waits_for.data();
  if (count != nullptr) *count = capture->next_waits_for.size();
  return state();
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* nodes, const cudaGraphEdgeData*,
                                                std::size_t count, unsigned flags) {
  const std::lock_guard lock(streams_mutex());
  Capture* capture = capture_of(stream);
  if (capture == nullptr) return noted(cudaErrorIllegalState);
  if (!capture->is_valid) return noted(cudaErrorStreamCaptureInvalidated);
  std::vector<cudaGraphNode_t>& all = capture->next_waits_for;
  std::vector<cudaGraphNode_t> given(nodes, nodes + count);
  if (flags == cudaStreamSetCaptureDependencies) all.clear();
  for (cudaGraphNode_t node : given) {
    if (std::find(all.begin(), all.end(), node) != all.end()) return noted(cudaErrorInvalidValue);
    all.push_back(node);
  }
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  if (faults.instantiate != 0) return noted(static_cast<cudaError_t>(faults.instantiate));
  last_edges.clear();
  for (const auto& node : graph->nodes) {
    std::vector<std::size_t>& waits_for = last_edges.emplace_back();
    for (const cudaGraphNode_t other : node->waits_for) waits_for.push_back(other->number);
  }
  for (const auto& [from, to] : faults.lost_edges) {
    std::vector<std::size_t>& waits_for = last_edges.at(to);
    waits_for.erase(std::find(waits_for.begin(), waits_for.end(), from));
  }
  std::vector<Node> nodes;
  for (const auto& node : graph->nodes) nodes.push_back({node->run, last_edges[node->number].size(), {}});
  for (std::size_t to = 0; to < nodes.size(); ++to) {
    for (const std::size_t from : last_edges[to]) nodes[from].next.push_back(to);
  }
  *executable = new CUgraphExec_st{std::make_shared<const std::vector<Node>>(std::move(nodes))};
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return state(); }

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const std::lock_guard lock(streams_mutex());
  if (capture_of(stream) != nullptr) return noted(cudaErrorNotSupported);
  return put(stream, [nodes = executable->nodes, launch = executable->launches++] { run_graph(*nodes, launch); });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return state();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return state();
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  if (nodes != nullptr) return noted(cudaErrorNotSupported);
  *count = graph->nodes.size();
  return state();
}

}  // extern "C"
