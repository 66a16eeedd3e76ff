// What was found, as a table for the terminal, and as files to keep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "amphora/io/json.h"
#include "machine.h"

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
  io::Json details = {};    // what tables.h makes tables of
};

struct Check {
  Machine machine;
  std::vector<Finding> findings;

  // Whether every step that could run passed, and one on a GPU could.
  bool passed() const;
  std::string verdict() const;  // "PASSED: 31 steps passed, 2 are unsupported here"
};

std::string to_text(const Check& check);
std::string to_markdown(const Check& check);
std::string to_json(const Check& check);

// "NVIDIA H100 80GB HBM3" and "2026-11-24" -> "nvidia-h100-80gb-hbm3-2026-11-24"
std::string file_name(const Machine& machine);

}  // namespace amphora::gpu_check
