#include "machine.h"

#include <fmt/format.h>

namespace amphora::gpu_check {
namespace {

using io::Json;

std::string trimmed(std::string_view text) {
  constexpr const char* kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) - begin + 1));
}

// Cuts the text before the next comma off.
std::string next_field(std::string_view& text) {
  const std::size_t end = std::min(text.find(','), text.size());
  std::string field = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return field;
}

// The first device that can be used: the one that is opened when none is named.
const Json* first_device(const Json& backend) {
  for (const Json& device : backend.at("devices").elements()) {
    if (device.at("reason_against").text().empty()) return &device;
  }
  return nullptr;
}

std::vector<std::string> texts_of(const Json& array) {
  std::vector<std::string> texts;
  for (const Json& element : array.elements()) texts.push_back(element.text());
  return texts;
}

// A fact without a name goes on with the one before.
Facts joined(const Json& pairs) {
  Facts facts;
  for (const Json& pair : pairs.elements()) {
    const std::string& name = pair.elements().at(0).text();
    const std::string& value = pair.elements().at(1).text();
    if (name.empty() && !facts.empty()) {
      facts.back().second += "; " + value;
    } else {
      facts.emplace_back(name, value);
    }
  }
  return facts;
}

}  // namespace

Backend unknown_backend(const std::string& name, const std::string& reason_against) {
  Backend backend{name, reason_against};
  backend.precisions = {"f32", "f16", "bf16"};
  if (name == "cuda") backend.precisions.insert(backend.precisions.begin() + 1, "tf32");
  return backend;
}

Backend find_backend(const Json& devices, const std::string& name, bool emulated) {
  for (const Json& found : devices.at("backends").elements()) {
    if (found.at("name").text() != name) continue;
    const auto detail = found.at("detail").text();
    if (!found.at("available").flag()) return unknown_backend(name, detail);
    const bool is_emulated = found.at("emulated").flag();
    if (is_emulated && !emulated) {
      return unknown_backend(name, fmt::format("{} runs on the processor; --emulated lets it count", detail));
    }
    Backend backend{name, {}, detail, is_emulated, texts_of(found.at("precisions")), {}};
    if (const Json* device = first_device(found)) {
      backend.device = device->at("name").text();
      backend.facts = joined(device->at("facts"));
    }
    if (is_emulated) backend.device += " (emulated)";
    return backend;
  }
  return unknown_backend(name, "not a backend that amphora-devices knows");
}

Machine describe(const std::vector<Backend>& backends, const std::string& date, const std::string& commit) {
  Machine machine{{}, date, commit};
  for (const Backend& backend : backends) {
    if (!backend.reason_against.empty()) continue;
    if (machine.gpu.empty()) machine.gpu = backend.device;
    machine.facts.emplace_back(backend.name, backend.device);
    for (const auto& [name, value] : backend.facts) machine.facts.emplace_back(backend.name + ", " + name, value);
  }
  if (machine.gpu.empty()) machine.gpu = "no GPU";
  return machine;
}

Facts smi_facts(std::string_view line) {
  Facts facts;
  std::string_view names = kSmiQuery;
  while (!names.empty() && !line.empty()) {
    std::string name = "nvidia-smi, " + next_field(names);
    facts.emplace_back(std::move(name), next_field(line));
  }
  return facts;
}

}  // namespace amphora::gpu_check
