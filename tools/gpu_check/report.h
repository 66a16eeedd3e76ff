// What was found, as a table for the terminal, and as files to keep.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace amphora::gpu_check {

enum class Result : std::uint8_t { passed, failed, unsupported, absent };
std::string_view name_of(Result result);

struct Finding {
  std::string step;
  Result result = Result::passed;
  std::string measured = {};  // one line
  double seconds = 0.0;
  std::string log = {};     // the file's name; empty: none
  std::string output = {};  // the end of the log, where the step failed
  nlohmann::ordered_json details = {};
};

// What was checked, where and when.
struct Machine {
  std::string gpu;  // "NVIDIA H200"
  std::string date;
  std::string commit;
  std::vector<std::pair<std::string, std::string>> facts;  // driver, CUDA, clocks, ...
};

struct Check {
  Machine machine;
  std::vector<Finding> findings;

  bool passed() const;
};

std::string to_text(const Check& check);
std::string to_markdown(const Check& check);
std::string to_json(const Check& check);

// "NVIDIA H100 80GB HBM3" and "2026-11-24" -> "nvidia-h100-80gb-hbm3-2026-11-24"
std::string file_name(const Machine& machine);

}  // namespace amphora::gpu_check
