#include "support/recorded.h"

#include <sstream>
#include <string>

#include "amphora/plan/dump.h"

namespace amphora::testing {

std::vector<std::vector<std::byte>> run_plan(Device& device, const plan::Plan& plan, const Recorded& recorded) {
  const plan::MemoryPlan memory = plan::plan_memory(plan);
  const BufferPtr arena = memory.bytes > 0 ? device.allocate(memory.bytes, MemoryKind::activations) : nullptr;
  // What earlier runs left must not look like a result of this one: NaN in every type.
  const auto spoil = [&device](Buffer& buffer) {
    device.upload(buffer, 0, std::vector<std::byte>(buffer.bytes(), std::byte{0xFF}));
  };
  if (arena != nullptr) spoil(*arena);
  for (const Tensor& result : recorded.results) spoil(*result.buffer());
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

std::string calls_of(const plan::Plan& plan) {
  std::istringstream dumped(plan::dump(plan));
  std::string text;
  for (std::string line; std::getline(dumped, line);) {
    if (line.find(" <-") == std::string::npos) continue;
    std::istringstream words(line);
    std::string word;
    words >> word;  // the call's number
    for (const char* gap = ""; words >> word; gap = " ") text += gap + word;
    text += '\n';
  }
  return text;
}

}  // namespace amphora::testing
