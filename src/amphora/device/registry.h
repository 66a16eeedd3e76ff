// The backends compiled in, and their status on this machine.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amphora/device/backend.h"

namespace amphora {

// Every known backend, built or not, in the order in which "auto" tries them.
std::span<const Backend> backends();

// Throws Error that lists what there is when the backend is unknown.
const Backend& backend_named(std::string_view name);

// Whether a backend can be opened on this machine; says why not where it is not built.
BackendStatus status_of(const Backend& backend);

// The devices of an available backend, in the order of their index; testing what they can may take some seconds the
// first time.
std::vector<DeviceReport> devices_of(const Backend& backend);

// Opens a device of `backend`: a name of backends(), or "auto". Throws Error that lists what there is when the backend
// is unknown, not built or has no device.
std::shared_ptr<Device> open_device(std::string_view backend, const DeviceOptions& options = {});

}  // namespace amphora
