#include "process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

extern char** environ;  // NOLINT(readability-identifier-naming)

namespace amphora::gpu_check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSignalBase = 128;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// This process's variables, but for those that the command sets.
std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> result;
  for (const auto& [name, value] : command.environment) result.push_back(name + "=" + value);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    bool is_set = false;
    for (const auto& [name, value] : command.environment) is_set = is_set || text.starts_with(name + "=");
    if (!is_set) result.push_back(text);
  }
  return result;
}

// What a child begins with: no input, its output in the log, a group of its own, so that its children end with it.
class Start {
 public:
  explicit Start(const std::filesystem::path& log) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes_, 0);
  }
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }

  pid_t spawn(const Command& command) const {
    std::vector<std::string> words{command.program.string()};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> variables = environment_of(command);
    pid_t child = 0;
    const int error = posix_spawn(&child, command.program.c_str(), &files_, &attributes_, pointers(words).data(),
                                  pointers(variables).data());
    require(error == 0, "{} cannot be started: {}", command.program.string(), std::strerror(error));
    return child;
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::string Ended::str() const {
  if (timed_out) return fmt::format("stopped after {:.0f} s", seconds);
  return code > kSignalBase ? fmt::format("ended by signal {}", code - kSignalBase) : fmt::format("exit code {}", code);
}

Ended run(const Command& command, const std::filesystem::path& log, double limit_seconds) {
  const Clock::time_point start = Clock::now();
  const pid_t child = Start(log).spawn(command);
  Ended ended;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (seconds_since(start) > limit_seconds && !ended.timed_out) {
      ended.timed_out = true;
      kill(-child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ended.seconds = seconds_since(start);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
  return ended;
}

}  // namespace amphora::gpu_check
