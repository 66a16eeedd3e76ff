// Capture of a stream's work as a graph.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <cuda_runtime_api.h>

#include "cuda_emulator/streams.h"

struct CUgraphNode_st {
  std::size_t number = 0;  // in the order of capture
  amphora::emulator::Run run;
  std::vector<cudaGraphNode_t> waits_for;
};

struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};

namespace amphora::emulator {

struct Capture {
  std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
  std::vector<cudaGraphNode_t> next_waits_for;
  bool is_valid = true;

  cudaError_t add(Run run);
};

// Null: the stream does not capture.
Capture* capture_of(cudaStream_t stream);
// For what waits for the device, or asks for memory: while a stream captures it is an error, and ends the capture.
cudaError_t refused_in_capture();

// Of all streams and graphs.
std::recursive_mutex& streams_mutex();

}  // namespace amphora::emulator
