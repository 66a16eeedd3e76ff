#include "backends/cpu/threads.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace amphora::cpu {
namespace {

std::vector<int> times_run(Threads& threads, std::int64_t tasks) {
  std::vector<int> times(static_cast<std::size_t>(tasks));
  threads.run(tasks, [&](std::int64_t i) { ++times[static_cast<std::size_t>(i)]; });
  return times;
}

TEST(Threads, RunEachTaskOnce) {
  for (const int count : {1, 2, 3, 5}) {
    Threads threads(count);
    EXPECT_EQ(threads.count(), count);
    for (const std::int64_t tasks : {0, 1, 2, 7, 1000}) {
      EXPECT_EQ(times_run(threads, tasks), std::vector<int>(static_cast<std::size_t>(tasks), 1));
    }
  }
}

TEST(Threads, ZeroMeansOneForEachCore) { EXPECT_GE(Threads(0).count(), 1); }

TEST(Threads, WritesOfTasksAreVisibleAfterwards) {
  Threads threads(3);
  std::vector<std::int64_t> values(64);
  for (int round = 0; round < 500; ++round) {
    threads.run(64, [&](std::int64_t i) { values[static_cast<std::size_t>(i)] += i; });
  }
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), std::int64_t{0}), 500 * 63 * 32);
}

TEST(Threads, OneTaskStaysInTheCallersThread) {
  Threads threads(2);
  std::thread::id seen;
  threads.run(1, [&](std::int64_t) { seen = std::this_thread::get_id(); });
  EXPECT_EQ(seen, std::this_thread::get_id());
}

TEST(Threads, HelpersTakePart) {
  Threads threads(2);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (seen.size() < 2 && std::chrono::steady_clock::now() < deadline) {
    threads.run(2, [&](std::int64_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
  }
  EXPECT_EQ(seen.size(), 2u);
}

TEST(Threads, WakeAfterALongSleep) {
  Threads threads(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(times_run(threads, 100), std::vector<int>(100, 1));
  }
}

TEST(Threads, ARunInsideATaskStaysInThatThread) {
  Threads threads(2);
  std::atomic<int> total = 0;
  std::atomic<int> elsewhere = 0;
  threads.run(4, [&](std::int64_t) {
    const auto outer = std::this_thread::get_id();
    threads.run(8, [&](std::int64_t) {
      ++total;
      if (std::this_thread::get_id() != outer) ++elsewhere;
    });
  });
  EXPECT_EQ(total, 32);
  EXPECT_EQ(elsewhere, 0);
}

TEST(Threads, AnExceptionReachesTheCallerAfterTheOtherTasks) {
  Threads threads(3);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> finished = 0;
    const auto task = [&](std::int64_t i) {
      if (i % 10 == 3) throw std::runtime_error("task failed");
      ++finished;
    };
    EXPECT_THROW(threads.run(50, task), std::runtime_error);
    EXPECT_EQ(finished, 45);
  }
  EXPECT_EQ(times_run(threads, 20), std::vector<int>(20, 1));
}

TEST(Threads, TwoCallersDoNotDisturbEachOther) {
  Threads threads(2);
  std::atomic<std::int64_t> total = 0;
  const auto caller = [&] {
    for (int round = 0; round < 200; ++round) threads.run(10, [&](std::int64_t i) { total += i; });
  };
  std::thread other(caller);
  caller();
  other.join();
  EXPECT_EQ(total, 2 * 200 * 45);
}

}  // namespace
}  // namespace amphora::cpu
