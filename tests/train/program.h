// Runs the mlp sample as a user does.
#pragma once

#include <string>

#include "support/idx_files.h"

namespace amphora::testing {

struct Finished {
  int code = -1;  // the exit code; -1: ended by a signal
  std::string out;
  std::string err;
};

// `arguments` are words for the shell; `before` is put in front of the program.
Finished run_mlp(const std::string& arguments, const std::string& before = "");

std::string text_of(const std::filesystem::path& path);

}  // namespace amphora::testing
