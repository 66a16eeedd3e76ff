// A step that is recorded, and plans of steps that run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "amphora/device/device.h"
#include "amphora/plan/memory.h"
#include "amphora/plan/recorder.h"
#include "amphora/tensor/tensor.h"

namespace amphora::testing {

struct Recorded {
  plan::Plan plan;
  std::vector<Tensor> inputs;
  std::vector<Tensor> results;
};

// Captures `step`, a function that gives the tensors that are kept.
template <class Step>
Recorded record(Device& device, const std::vector<Tensor>& inputs, Step&& step) {
  std::vector<BufferPtr> buffers;
  for (const Tensor& input : inputs) buffers.push_back(input.buffer());
  plan::Recorder recorder(device, plan::Recorder::Mode::capture, buffers);
  std::vector<Tensor> results = std::forward<Step>(step)();
  return {recorder.finish().plan, inputs, std::move(results)};
}

// Runs a plan of what was recorded, in an arena of its own, and gives the bytes of the recorded results.
std::vector<std::vector<std::byte>> run_plan(Device& device, const plan::Plan& plan, const Recorded& recorded);

// The calls of dump(), a line each, without numbers and columns: "cast [8] %1:f16 <- %0:f32".
std::string calls_of(const plan::Plan& plan);

}  // namespace amphora::testing
