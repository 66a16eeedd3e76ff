#include "process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace amphora::gpu_check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSignalBase = 128;
constexpr int kCannotStart = 127;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void become(const Command& command, std::vector<char*>& arguments, int log) {
  setpgid(0, 0);  // a group of its own, so that its children end with it
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
  execv(command.program.c_str(), arguments.data());
  _exit(kCannotStart);
}

}  // namespace

std::string Ended::str() const {
  if (timed_out) return fmt::format("stopped after {:.0f} s", seconds);
  return code > kSignalBase ? fmt::format("ended by signal {}", code - kSignalBase) : fmt::format("exit code {}", code);
}

Ended run(const Command& command, const std::filesystem::path& log, double limit_seconds) {
  require(access(command.program.c_str(), X_OK) == 0, "{} cannot be started: {}", command.program.string(),
          std::strerror(errno));
  std::vector<std::string> texts{command.program.string()};
  texts.insert(texts.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> arguments = pointers(texts);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  require(file >= 0, "{} cannot be written: {}", log.string(), std::strerror(errno));

  const Clock::time_point start = Clock::now();
  const pid_t child = fork();
  if (child == 0) become(command, arguments, file);
  close(file);
  require(child > 0, "{} cannot be started: {}", command.program.string(), std::strerror(errno));

  Ended ended;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    ended.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (ended.seconds > limit_seconds && !ended.timed_out) {
      ended.timed_out = true;
      kill(-child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ended.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
  return ended;
}

}  // namespace amphora::gpu_check
