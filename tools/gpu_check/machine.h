// The machine under test: its backends, and what is known of its GPU.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amphora/io/json.h"

namespace amphora::gpu_check {

using Facts = std::vector<std::pair<std::string, std::string>>;

struct Backend {
  std::string name;
  std::string reason_against;  // empty: it has a device
  std::string device = {};     // "NVIDIA H200", or where it is emulated "CUDA emulator (emulated)"
  bool emulated = false;
  std::vector<std::string> precisions = {};
  Facts facts = {};
};

// What was checked, where and when.
struct Machine {
  std::string gpu;   // "NVIDIA H200"
  std::string date;  // "2026-11-24"
  std::string commit;
  Facts facts = {};  // driver, CUDA, clocks, ...
};

// The backend `name` in what `amphora-devices --json` wrote. A device that runs on the processor counts as none, unless
// `emulated` says otherwise.
Backend find_backend(const io::Json& devices, const std::string& name, bool emulated);
// A backend of which nothing is known, with all precisions that it could have.
Backend unknown_backend(const std::string& name, const std::string& reason_against);

// The GPU is that of the first backend that has one.
Machine describe(const std::vector<Backend>& backends, const std::string& date, const std::string& commit);

// What nvidia-smi answers to kSmiQuery, a line for the first GPU, as facts.
inline constexpr const char* kSmiQuery =
    "driver_version,pstate,clocks.sm,clocks.max.sm,clocks.mem,power.draw,power.limit,temperature.gpu,mig.mode.current";
Facts smi_facts(std::string_view line);

}  // namespace amphora::gpu_check
