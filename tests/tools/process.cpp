// Child processes: their output, their end, their limit.
#include "tools/gpu_check/process.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "support/idx_files.h"

namespace amphora::gpu_check {
namespace {

class Process : public ::testing::Test {
 protected:
  Ended shell(const std::string& script, double limit = 60.0) const {
    return run({"/bin/sh", {"-c", script}, {{"AMPHORA_WORD", "set"}}}, log_, limit);
  }
  std::string output() const {
    const testing::Bytes bytes = testing::read_bytes(log_);
    return {bytes.begin(), bytes.end()};
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path log_ = folder_ / "log";
};

TEST_F(Process, LeavesBothOutputsAndItsExitCode) {
  const Ended ended = shell("echo one; echo two >&2; exit 3");
  EXPECT_EQ(ended.code, 3);
  EXPECT_FALSE(ended.passed());
  EXPECT_EQ(ended.str(), "exit code 3");
  EXPECT_EQ(output(), "one\ntwo\n");
  EXPECT_TRUE(shell("true").passed());
  EXPECT_EQ(output(), "");
}

TEST_F(Process, HasTheCommandsVariablesAndItsParents) {
  setenv("AMPHORA_OTHER", "kept", 1);     // NOLINT(concurrency-mt-unsafe)
  setenv("AMPHORA_WORD", "replaced", 1);  // NOLINT(concurrency-mt-unsafe)
  shell("echo $AMPHORA_WORD $AMPHORA_OTHER");
  EXPECT_EQ(output(), "set kept\n");
}

TEST_F(Process, EndsWithItsChildrenAtTheLimit) {
  // The grandchild would write to the log.
  const Ended ended = shell("(sleep 0.6; echo late) & sleep 60", 0.2);
  EXPECT_TRUE(ended.timed_out);
  EXPECT_FALSE(ended.passed());
  EXPECT_LT(ended.seconds, 30.0);
  EXPECT_EQ(ended.str().rfind("stopped after ", 0), 0u);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(output(), "");
}

TEST_F(Process, EndsWithTheProcessThatStartedIt) {
  EXPECT_EXIT(shell("kill -TERM $PPID; sleep 0.6; echo late"), ::testing::KilledBySignal(SIGTERM), "");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(output(), "");
}

TEST_F(Process, TellsASignalFromAnExitCode) {
  const Ended ended = shell("kill -SEGV $$");
  EXPECT_EQ(ended.code, 128 + SIGSEGV);
  EXPECT_EQ(ended.str(), "ended by signal 11");
}

TEST_F(Process, ThatIsNotThereIsAnError) { EXPECT_THROW(run({"/no/such/program", {}, {}}, log_, 1.0), Error); }

}  // namespace
}  // namespace amphora::gpu_check
