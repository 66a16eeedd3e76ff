#include "process.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "amphora/core/error.h"

extern char** environ;  // NOLINT(readability-identifier-naming)

namespace amphora::gpu_check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSignalBase = 128;
constexpr double kPatience = 60.0;  // seconds: a process that hangs inside of a driver does not even end when killed

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The child that runs now, for the signals that end this process: they must end it, too, and it is in a group of its
// own.
volatile std::sig_atomic_t running = 0;

void end_both(int signal) {
  if (running != 0) kill(-running, SIGKILL);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

// From its begin to its end, those signals end the child as well; before, they wait.
class Watch {
 public:
  Watch() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kSignals) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, &mask_);
    for (std::size_t i = 0; i < std::size(kSignals); ++i) {
      previous_[i] = std::signal(kSignals[i], end_both);
      if (previous_[i] == SIG_IGN) std::signal(kSignals[i], SIG_IGN);  // under nohup
    }
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) std::signal(kSignals[i], previous_[i]);
    running = 0;
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

  void begin(pid_t child) {
    running = child;
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  // What is blocked outside, and in the child.
  const sigset_t& mask() const { return mask_; }

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  void (*previous_[std::size(kSignals)])(int) = {};
  sigset_t mask_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// This process's variables, but for those that the command sets.
std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> result;
  for (const auto& [name, value] : command.environment) result.push_back(fmt::format("{}={}", name, value));
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    bool is_set = false;
    for (const auto& [name, value] : command.environment) is_set = is_set || text.starts_with(fmt::format("{}=", name));
    if (!is_set) result.push_back(text);
  }
  return result;
}

// What a child begins with: no input, its output in the log, a group of its own, so that its children end with it.
class Start {
 public:
  Start(const std::filesystem::path& log, const sigset_t& mask) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &mask);
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
  Watch watch;
  const pid_t child = Start(log, watch.mask()).spawn(command);
  watch.begin(child);
  Ended ended;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (seconds_since(start) > limit_seconds && !ended.timed_out) {
      ended.timed_out = true;
      kill(-child, SIGKILL);
    }
    if (seconds_since(start) > limit_seconds + kPatience) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ended.seconds = seconds_since(start);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
  return ended;
}

}  // namespace amphora::gpu_check
