// What a run found, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/ledger.h"

namespace amphora::conformance {

struct RunResult {
  std::uint64_t seed = 0;
  double seconds = 0.0;
  std::vector<std::string> devices;  // "vulkan: llvmpipe, 2 threads"
  std::size_t passed_tests = 0;
  std::vector<std::string> failed_tests;  // by their full names
  std::vector<std::string> skipped_tests;
  bool passed = false;
};

// Where this program was started from.
const std::string& own_path();

std::string to_text(const Ledger& ledger, const RunResult& run);
std::string to_markdown(const Ledger& ledger, const RunResult& run);
std::string to_json(const Ledger& ledger, const RunResult& run);

}  // namespace amphora::conformance
