#include "support/recorded.h"

#include <string>

#include "plan/dump.h"

namespace amphora::testing {

std::vector<std::vector<std::byte>> run_plan(Device& device, const plan::Plan& plan, const Recorded& recorded) {
  const plan::MemoryPlan memory = plan::plan_memory(plan);
  const BufferPtr arena = memory.bytes > 0 ? device.allocate(memory.bytes, MemoryKind::activations) : nullptr;
  std::vector<Buffer*> inputs;
  for (const Tensor& input : recorded.inputs) inputs.push_back(input.buffer().get());
  const auto executable = device.compile(plan::bind(plan, memory, arena.get(), inputs, nullptr));
  device.submit(*executable);
  std::vector<std::vector<std::byte>> bytes;
  for (const Tensor& result : recorded.results) {
    bytes.emplace_back(result.buffer()->bytes());
    device.download(*result.buffer(), 0, bytes.back());
  }
  return bytes;
}

std::string body_of(const plan::Plan& plan) {
  const std::string text = plan::dump(plan);
  return text.substr(text.find('\n') + 1);
}

}  // namespace amphora::testing
