// Lists the backends, what each can do on this machine, and which one "auto" takes.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "amphora/amphora.h"
#include "io/table.h"

namespace {

namespace am = amphora;

std::string precisions_of(const am::BackendStatus& status) {
  if (!status.available) return "-";
  std::string names;
  const std::shared_ptr<am::Device> device = am::open_device(status.name);
  for (const am::Precision precision : device->info().precisions) {
    names += names.empty() ? "" : " ";
    names += am::name_of(precision);
  }
  return names;
}

// Why "auto" does not take a backend; `passed` tells whether the chosen one stands before it.
std::string reason_against(const am::BackendStatus& status, const std::string& chosen, bool passed) {
  if (!status.available) return status.detail;
  if (status.emulated) return "works, but on the processor, where cpu is faster; only on request";
  if (passed && status.name != "null") return fmt::format("works, but {} comes first", chosen);
  return "only on request";
}

// What a backend's devices offer, and what is used of it.
void describe_devices(const std::string& backend) {
  const std::vector<am::DeviceReport> devices = am::list_devices(backend);
  for (std::size_t index = 0; index < devices.size(); ++index) {
    const am::DeviceReport& device = devices[index];
    if (device.facts.empty()) continue;
    std::vector<am::io::Row> rows;
    if (!device.reason_against.empty()) rows.push_back({"  cannot be used", device.reason_against});
    for (const auto& [name, value] : device.facts) rows.push_back({"  " + name, value});
    fmt::print("\n{} device {}: {}\n{}", backend, index, device.name, am::io::table(rows, "ll"));
  }
}

void list_devices() {
  const std::vector<am::BackendStatus> backends = am::list_backends();
  std::vector<am::io::Row> rows{{"backend", "available", "precisions", "device, or why there is none"}};
  for (const am::BackendStatus& status : backends) {
    rows.push_back({status.name, status.available ? "yes" : "no", precisions_of(status), status.detail});
  }
  fmt::print("{}\n", am::io::table(rows, "llll"));

  const std::string chosen = am::open_device("auto")->info().backend;
  fmt::print("auto takes {}:\n", chosen);
  bool passed = false;
  rows.clear();
  for (const am::BackendStatus& status : backends) {
    const bool is_chosen = status.name == chosen;
    passed = passed || is_chosen;
    const std::string reason =
        is_chosen ? "taken: the first that finds a device" : reason_against(status, chosen, passed);
    rows.push_back({"  " + status.name, reason});
  }
  fmt::print("{}", am::io::table(rows, "ll"));
  for (const am::BackendStatus& status : backends) {
    if (status.available) describe_devices(status.name);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return am::train::guarded("devices", [&] {
    if (argc > 1) throw am::train::UsageError(fmt::format("'{}' is not expected; devices takes no arguments", argv[1]));
    list_devices();
  });
}
