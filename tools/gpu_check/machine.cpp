#include "machine.h"

#include <fmt/format.h>

namespace amphora::gpu_check {
namespace {

using nlohmann::ordered_json;

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
const ordered_json* first_device(const ordered_json& backend) {
  for (const ordered_json& device : backend.at("devices")) {
    if (device.at("reason_against").get<std::string>().empty()) return &device;
  }
  return nullptr;
}

// A fact without a name goes on with the one before.
Facts joined(const ordered_json& pairs) {
  Facts facts;
  for (const ordered_json& pair : pairs) {
    const auto name = pair.at(0).get<std::string>(), value = pair.at(1).get<std::string>();
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

Backend find_backend(const ordered_json& devices, const std::string& name, bool emulated) {
  for (const ordered_json& found : devices.at("backends")) {
    if (found.at("name") != name) continue;
    const auto detail = found.at("detail").get<std::string>();
    if (!found.at("available").get<bool>()) return unknown_backend(name, detail);
    const bool is_emulated = found.at("emulated").get<bool>();
    if (is_emulated && !emulated) {
      return unknown_backend(name, fmt::format("{} runs on the processor; --emulated lets it count", detail));
    }
    Backend backend{name, {}, detail, is_emulated, found.at("precisions").get<std::vector<std::string>>(), {}};
    if (const ordered_json* device = first_device(found)) {
      backend.device = device->at("name").get<std::string>();
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
