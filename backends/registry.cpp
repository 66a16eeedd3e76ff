#include "amphora/device/registry.h"

#include <array>

#include "amphora/core/error.h"
#include "backends/cpu/backend.h"
#include "backends/cuda/backend.h"
#include "backends/null/backend.h"
#include "backends/vulkan/backend.h"

namespace amphora {
namespace {

// In the order in which "auto" tries them.
constexpr std::array kBackends{
    cuda::kBackend,
    vulkan::kBackend,
    cpu::kBackend,
    null::kBackend,
};

std::string available_backends() {
  std::string text;
  for (const Backend& backend : kBackends) {
    const BackendStatus status = status_of(backend);
    if (status.available) text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", backend.name, status.detail);
  }
  return text;
}

std::shared_ptr<Device> open_automatically(const DeviceOptions& options) {
  for (const Backend& backend : kBackends) {
    if (!backend.computes || (backend.devices == nullptr && !options.device.empty())) continue;
    const BackendStatus status = status_of(backend);
    if (status.available && !status.emulated) return backend.open(options);
  }
  fail("no backend finds a device on this machine. Available: {}", available_backends());
}

}  // namespace

std::span<const Backend> backends() { return kBackends; }

const Backend& backend_named(std::string_view name) {
  for (const Backend& backend : kBackends) {
    if (backend.name == name) return backend;
  }
  fail("there is no backend '{}'. Available: {}", name, available_backends());
}

BackendStatus status_of(const Backend& backend) {
  if (backend.open != nullptr) return backend.status();
  return {false, fmt::format("not built into this program: its tools were missing, see docs/{}.md", backend.name)};
}

std::vector<DeviceReport> devices_of(const Backend& backend) {
  if (backend.devices != nullptr) return backend.devices();
  return {{status_of(backend).detail, {}, {}}};
}

std::shared_ptr<Device> open_device(std::string_view name, const DeviceOptions& options) {
  if (name == "auto") return open_automatically(options);
  const Backend& backend = backend_named(name);
  const BackendStatus status = status_of(backend);
  // Only a failure looks at the other backends, whose libraries may be large.
  if (!status.available) {
    fail("backend '{}' is not available: {}. Available: {}", name, status.detail, available_backends());
  }
  require(options.device.empty() || backend.devices != nullptr,
          "the {} backend has one device, so there is nothing to choose with '{}'", name, options.device);
  return backend.open(options);
}

}  // namespace amphora
