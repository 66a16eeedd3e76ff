// Lists the backends, what each can do on this machine, and which one "auto" takes; --json FILE writes it for programs.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "amphora/app.h"
#include "amphora/io/file.h"
#include "amphora/io/json.h"
#include "amphora/io/table.h"

namespace {

namespace am = amphora;

std::vector<std::string> precisions_of(const am::Backend& backend, const am::BackendStatus& status) {
  std::vector<std::string> names;
  if (!status.available) return names;
  const std::shared_ptr<am::Device> device = am::open_device(backend.name);
  for (const am::Precision precision : device->info().precisions) names.emplace_back(am::name_of(precision));
  return names;
}

// Why "auto" does not take a backend; `passed` tells whether the chosen one stands before it.
std::string reason_against(const am::Backend& backend, const std::string& chosen, bool passed) {
  const am::BackendStatus status = am::status_of(backend);
  if (!status.available) return status.detail;
  if (status.emulated) return "works, but on the processor, where cpu is faster; only on request";
  if (passed && backend.computes) return fmt::format("works, but {} comes first", chosen);
  return "only on request";
}

// What a backend's devices offer, and what is used of it.
void describe_devices(const am::Backend& backend) {
  const std::vector<am::DeviceReport> devices = am::devices_of(backend);
  for (std::size_t index = 0; index < devices.size(); ++index) {
    const am::DeviceReport& device = devices[index];
    if (device.facts.empty()) continue;
    std::vector<am::io::Row> rows;
    if (!device.reason_against.empty()) rows.push_back({"  cannot be used", device.reason_against});
    for (const auto& [name, value] : device.facts) rows.push_back({"  " + name, value});
    fmt::print("\n{} device {}: {}\n{}", backend.name, index, device.name, am::io::table(rows, "ll"));
  }
}

void list_devices() {
  std::vector<am::io::Row> rows{{"backend", "available", "precisions", "device, or why there is none"}};
  for (const am::Backend& backend : am::backends()) {
    const am::BackendStatus status = am::status_of(backend);
    const std::string precisions =
        status.available ? fmt::format("{}", fmt::join(precisions_of(backend, status), " ")) : std::string("-");
    rows.push_back({std::string(backend.name), status.available ? "yes" : "no", precisions, status.detail});
  }
  fmt::print("{}\n", am::io::table(rows, "llll"));

  const std::string chosen = am::open_device("auto")->info().backend;
  fmt::print("auto takes {}:\n", chosen);
  bool passed = false;
  rows.clear();
  for (const am::Backend& backend : am::backends()) {
    const bool is_chosen = backend.name == chosen;
    passed = passed || is_chosen;
    const std::string reason =
        is_chosen ? "taken: the first that finds a device" : reason_against(backend, chosen, passed);
    rows.push_back({"  " + std::string(backend.name), reason});
  }
  fmt::print("{}", am::io::table(rows, "ll"));
  for (const am::Backend& backend : am::backends()) {
    if (am::status_of(backend).available) describe_devices(backend);
  }
}

std::string to_json() {
  using am::io::Json;
  Json backends = Json::array();
  for (const am::Backend& backend : am::backends()) {
    const am::BackendStatus status = am::status_of(backend);
    Json devices = Json::array();
    for (const am::DeviceReport& device :
         status.available ? am::devices_of(backend) : std::vector<am::DeviceReport>()) {
      Json facts = Json::array();  // pairs: what has several lines comes with an empty name
      for (const auto& [name, value] : device.facts) facts.push_back(std::vector<std::string>{name, value});
      devices.push_back({{"name", device.name}, {"reason_against", device.reason_against}, {"facts", facts}});
    }
    backends.push_back({{"name", backend.name},
                        {"available", status.available},
                        {"emulated", status.emulated},
                        {"detail", status.detail},
                        {"precisions", precisions_of(backend, status)},
                        {"devices", devices}});
  }
  return Json{{"backends", backends}}.dump(2) + "\n";
}

}  // namespace

int main(int argc, char** argv) {
  return am::app::run_reporting_errors("devices", [&] {
    std::string json;
    am::app::CommandLine line(
        {.program = "devices", .description = "Lists the backends, and what each can do on this machine."});
    line.add_path("--json", json, "FILE", "write the same for programs");
    if (!line.parse(argc, argv)) return;
    list_devices();
    if (!json.empty()) am::io::write_file(json, to_json());
  });
}
