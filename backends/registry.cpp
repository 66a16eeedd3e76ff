#include "backends/registry.h"

#include <array>

#include "backends/cpu/device.h"
#include "backends/cuda/loader.h"
#include "backends/null/device.h"
#if AMPHORA_VULKAN
#include "backends/vulkan/device.h"
#include "backends/vulkan/report.h"
#include "backends/vulkan/select.h"
#endif
#include "core/error.h"

namespace amphora {
namespace {

struct Backend {
  std::string_view name;
  std::string_view what;
  BackendStatus (*status)();
  std::shared_ptr<Device> (*open)(const DeviceOptions& options);  // null: not built
  std::vector<DeviceReport> (*devices)();                         // null: one device, which needs no index
  bool chosen_by_auto;
};

BackendStatus cpu_status() { return {"cpu", true, cpu::describe({})}; }
BackendStatus null_status() { return {"null", true, "counts kernel calls, computes nothing"}; }
std::shared_ptr<Device> open_null(const DeviceOptions&) { return null::open(); }
#if !AMPHORA_VULKAN
BackendStatus vulkan_status() {
  return {"vulkan", false, "not built into this program: its tools were missing, see docs/vulkan.md"};
}
#endif

// In the order in which "auto" tries them.
constexpr std::array<Backend, 4> kBackends{{
    {"cuda", "Tensor Cores through cuBLASLt and own kernels", cuda::status, cuda::open, cuda::devices, true},
#if AMPHORA_VULKAN
    {"vulkan", "compute shaders on any Vulkan 1.3 device, products through cooperative matrices", vulkan::status,
     vulkan::open, vulkan::report, true},
#else
    {"vulkan", "compute shaders on any Vulkan 1.3 device, products through cooperative matrices", vulkan_status,
     nullptr, nullptr, true},
#endif
    {"cpu", "a scalar oracle in f64, and vectorised kernels (Highway, OpenBLAS) chosen at run time", cpu_status,
     cpu::open, nullptr, true},
    {"null", "checks and counts kernel calls, computes nothing: the template for a new backend", null_status, open_null,
     nullptr, false},
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
    if (!backend.chosen_by_auto || (backend.devices == nullptr && !options.device.empty())) continue;
    const BackendStatus status = backend.status();
    if (status.available && !status.emulated) return backend.open(options);
  }
  fail("no backend finds a device on this machine. Available: {}", available_backends());
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> known_backends() {
  std::vector<std::pair<std::string_view, std::string_view>> result;
  for (const Backend& backend : kBackends) result.emplace_back(backend.name, backend.what);
  return result;
}

std::vector<BackendStatus> list_backends() {
  std::vector<BackendStatus> result;
  for (const Backend& backend : kBackends) result.push_back(backend.status());
  return result;
}

std::vector<DeviceReport> list_devices(std::string_view name) {
  for (const Backend& backend : kBackends) {
    if (backend.name != name) continue;
    return backend.devices != nullptr ? backend.devices()
                                      : std::vector<DeviceReport>{{backend.status().detail, {}, {}}};
  }
  fail("there is no backend '{}'. Available: {}", name, available_backends());
}

std::shared_ptr<Device> open_device(std::string_view name, const DeviceOptions& options) {
  if (name == "auto") return open_automatically(options);
  for (const Backend& backend : kBackends) {
    if (backend.name != name) continue;
    const BackendStatus status = backend.status();
    // Only a failure looks at the other backends, whose libraries may be large.
    if (!status.available) {
      fail("backend '{}' is not available: {}. Available: {}", name, status.detail, available_backends());
    }
    require(options.device.empty() || backend.devices != nullptr,
            "the {} backend has one device, so there is nothing to choose with '{}'", name, options.device);
    return backend.open(options);
  }
  fail("there is no backend '{}'. Available: {}", name, available_backends());
}

}  // namespace amphora
