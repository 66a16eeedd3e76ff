#include "backends/cpu/threads.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace amphora::cpu {
namespace {

// Kernels follow each other within microseconds; a sleep and a wake cost more than this wait, which spares both.
constexpr std::chrono::microseconds kSpin{40};
constexpr int kPausesBetweenClockReads = 32;

// True in a thread that is running a task: a nested run() stays in that thread.
thread_local bool inside_task = false;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits for `condition` without sleeping; false when it has not come true within kSpin.
template <class Condition>
bool spin_until(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kPausesBetweenClockReads; ++i) {
      if (condition()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// A condition that one thread makes true and others sleep for. The announcing thread locks only if someone sleeps:
// it changes the condition, then reads `sleepers`; a sleeper counts itself, then reads the condition. Both orders are
// sequentially consistent, so at least one of the two sees the other.
class Gate {
 public:
  template <class Condition>
  void wait_until(Condition condition) {
    if (spin_until(condition)) return;
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1);
    changed_.wait(lock, condition);
    sleepers_.fetch_sub(1);
  }

  void announce() {
    if (sleepers_.load() == 0) return;
    { const std::lock_guard lock(mutex_); }  // a sleeper between its check and its sleep holds the lock
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> sleepers_{0};
};

}  // namespace

struct Threads::State {
  using Task = std::function<void(std::int64_t)>;

  // Claims one task of the current run; false when none is left. `task` and `tasks` may be read after a claim only:
  // the run cannot end before the claimed task has.
  bool claim(std::int64_t& index) {
    std::int64_t left = unclaimed.load();
    do {
      if (left == 0) return false;
    } while (!unclaimed.compare_exchange_weak(left, left - 1));
    index = tasks - left;
    return true;
  }

  void run_claimed() {
    for (std::int64_t index = 0; claim(index);) {
      try {
        (*task)(index);
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (error == nullptr) error = std::current_exception();
      }
      if (unfinished.fetch_sub(1) == 1) done.announce();
    }
  }

  void work() {
    inside_task = true;
    while (!stopping.load()) {
      run_claimed();
      ready.wait_until([this] { return unclaimed.load() > 0 || stopping.load(); });
    }
  }

  std::mutex running;  // held by the thread whose run() is under way
  const Task* task = nullptr;
  std::int64_t tasks = 0;
  std::atomic<std::int64_t> unclaimed{0};
  std::atomic<std::int64_t> unfinished{0};
  std::atomic<bool> stopping{false};
  Gate ready;  // there are tasks to claim
  Gate done;   // none is unfinished
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::thread> workers;
};

Threads::Threads(int count) : state_(std::make_unique<State>()) {
  const int wanted = (count > 0 ? count : static_cast<int>(std::thread::hardware_concurrency())) - 1;
  try {
    for (int i = 0; i < wanted; ++i) state_->workers.emplace_back([state = state_.get()] { state->work(); });
  } catch (const std::system_error&) {
    // The system's limit on threads is reached: fewer are slower, with the same results.
  }
}

Threads::~Threads() {
  state_->stopping.store(true);
  state_->ready.announce();
  for (std::thread& worker : state_->workers) worker.join();
}

int Threads::count() const { return static_cast<int>(state_->workers.size()) + 1; }

void Threads::run(std::int64_t tasks, const std::function<void(std::int64_t)>& task) {
  State& state = *state_;
  std::unique_lock lock(state.running, std::defer_lock);
  // A second caller does its own work rather than wait for the first one's.
  if (tasks <= 1 || state.workers.empty() || inside_task || !lock.try_lock()) {
    for (std::int64_t i = 0; i < tasks; ++i) task(i);
    return;
  }
  state.task = &task;
  state.tasks = tasks;
  state.unfinished.store(tasks);
  state.unclaimed.store(tasks);
  state.ready.announce();
  inside_task = true;
  state.run_claimed();
  inside_task = false;
  state.done.wait_until([&state] { return state.unfinished.load() == 0; });
  if (state.error != nullptr) std::rethrow_exception(std::exchange(state.error, nullptr));
}

}  // namespace amphora::cpu
