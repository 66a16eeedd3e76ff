// A child process: its output in a file, its end within a limit.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace amphora::gpu_check {

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // beside this process's own
};

struct Ended {
  int code = 0;  // the exit code; 128 + the signal that ended it
  bool timed_out = false;
  double seconds = 0.0;
  bool passed() const { return code == 0 && !timed_out; }
  std::string str() const;  // "exit code 1", "ended by signal 11", "stopped after 600 s"
};

// Runs a command with its output in `log`, replaced. At the limit the process and its children are killed. Throws Error
// when it cannot be started.
Ended run(const Command& command, const std::filesystem::path& log, double limit_seconds);

}  // namespace amphora::gpu_check
