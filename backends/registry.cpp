#include "backends/registry.h"

#include <array>

#include "backends/cpu/device.h"
#include "backends/null/device.h"
#include "core/error.h"

namespace amphora {
namespace {

using Open = std::shared_ptr<Device> (*)(const DeviceOptions& options);

struct Backend {
  std::string_view name;
  BackendStatus (*status)();
  Open open;  // null: not built
  bool chosen_by_auto;
};

// In the order in which "auto" tries them.
constexpr std::array<Backend, 4> kBackends{{
    {"cuda",
     [] {
       return BackendStatus{"cuda", false, "not built into this program"};
     },
     nullptr, true},
    {"vulkan",
     [] {
       return BackendStatus{"vulkan", false, "not built into this program"};
     },
     nullptr, true},
    {"cpu",
     [] {
       return BackendStatus{"cpu", true, cpu::describe({})};
     },
     cpu::open, true},
    {"null",
     [] {
       return BackendStatus{"null", true, "counts kernel calls, computes nothing"};
     },
     [](const DeviceOptions&) { return null::open(); }, false},
}};

std::string available_backends() {
  std::string text;
  for (const BackendStatus& status : list_backends()) {
    if (status.available) text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", status.name, status.detail);
  }
  return text;
}

std::shared_ptr<Device> open_automatically(const DeviceOptions& options) {
  for (const Backend& backend : kBackends) {
    if (backend.chosen_by_auto && backend.status().available) return backend.open(options);
  }
  fail("no backend finds a device on this machine. Available: {}", available_backends());
}

}  // namespace

std::vector<BackendStatus> list_backends() {
  std::vector<BackendStatus> result;
  for (const Backend& backend : kBackends) result.push_back(backend.status());
  return result;
}

std::shared_ptr<Device> open_device(std::string_view name, const DeviceOptions& options) {
  if (name == "auto") return open_automatically(options);
  for (const Backend& backend : kBackends) {
    if (backend.name != name) continue;
    const BackendStatus status = backend.status();
    require(status.available, "backend '{}' is not available: {}. Available: {}", name, status.detail,
            available_backends());
    return backend.open(options);
  }
  fail("there is no backend '{}'. Available: {}", name, available_backends());
}

}  // namespace amphora
