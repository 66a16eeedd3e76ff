// Recorder: notes what a training step does, while it runs or instead of running it.
//
// At most one per thread; Device, Tracked and what feeds host values ask for it. While it captures, no kernel runs:
// calls become a Plan. Reading device memory is refused then, as nothing has been computed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "amphora/core/context.h"
#include "amphora/plan/host_state.h"
#include "amphora/plan/plan.h"

namespace amphora::plan {

class Recorder {
 public:
  enum class Mode : std::uint8_t {
    observe,  // the step runs; its host state is noted
    capture   // the step is recorded, and does not run
  };

  // `inputs` are what changes from step to step, `feed` the memory of fed values, `known` the Result::allocated of an
  // earlier recording of the step. Throws StateError within another recorder's life. One that ends without finish()
  // leaves the host as if nothing had been captured.
  Recorder(Device& device, Mode mode, std::vector<BufferPtr> inputs = {}, BufferPtr feed = nullptr,
           std::span<const BufferPtr> known = {});
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  // This thread's; null when there is none. capturing() is null while the step runs, too.
  static Recorder* active();
  static Recorder* capturing();

  // --- for Device ---
  void append(const KernelCall& call);
  void allocated(const BufferPtr& buffer);
  // Bytes for memory of the step's own become a constant of the plan, which no call may write then. Throws Error for
  // memory that is older than the capture: each replay would need other bytes, perhaps.
  void uploaded(Buffer& target, std::size_t offset, std::span<const std::byte> source);
  [[noreturn]] void refuse_read(const CodeLine& where) const;
  void require_device(const Device& device) const;

  // --- for what keeps host state ---
  void note_birth(const TrackedCell& cell);
  void note_read(const TrackedCell& cell);
  void note_write(const TrackedCell& cell, std::int64_t value);
  // The same for state that is no Tracked: the plan is right only while `holds()` is true, as it is now. Counts the
  // first time for each `subject`, and not after an action for it.
  void add_condition(const void* subject, std::function<bool()> holds);
  // What a replay does to the host's state at its end, where `applies()` is true at the recording's end; the last one
  // for each `subject`.
  void add_action(const void* subject, std::function<bool()> applies, std::function<void()> action);
  // What takes a change of the host's state back that is no Tracked's, where a captured step does not run after all.
  void add_undo(std::function<void()> undo);
  // Memory that holds what `write` writes anew before each replay, in the order of these calls. Aligned to 16 bytes;
  // only while capturing. Throws Error when the feed buffer is full.
  BufferRange feed(std::string name, std::size_t bytes, std::function<void(std::span<std::byte>)> write);

  // While a step that is known already is captured again: its memory, so that what the program keeps of a step stays
  // where it is. Null where a step has taken another course.
  BufferPtr allocated_before(std::size_t bytes, MemoryKind kind);

  // Ends the recording, for this thread too: what is still alive is kept, all else that was allocated is transient.
  struct Result {
    Plan plan;
    HostState state;
    std::vector<BufferPtr> allocated;  // in their order; null where nobody held it at the end
  };
  Result finish();

 private:
  int value_of(const BufferRange& range);
  void refuse_write(const KernelCall& call) const;

  Device& device_;
  Mode mode_;
  std::vector<BufferPtr> inputs_;
  BufferPtr feed_;
  std::optional<Scoped<Recorder*>> active_;  // until finish()
  Result result_;
  std::unordered_map<std::uint64_t, int> values_;  // by buffer
  std::span<const BufferPtr> known_;
  std::vector<std::weak_ptr<Buffer>> allocated_;  // in their order
  std::unordered_set<std::uint64_t> made_;        // the same, living or not
  struct Constant {
    BufferPtr buffer;
    std::uint64_t content = 0;
  };
  std::unordered_map<std::uint64_t, Constant> constants_;  // by buffer
  // By what they are about, their places in the result.
  std::unordered_set<const void*> born_;  // tracked values, whose first value is the step's own
  std::unordered_map<const void*, std::size_t> guards_;
  std::unordered_map<const void*, std::size_t> conditions_;
  std::unordered_map<const void*, std::size_t> effects_;
  struct Action {
    std::function<bool()> applies;
    std::function<void()> act;
  };
  std::vector<Action> pending_actions_;
  std::unordered_map<const void*, std::size_t> actions_;
};

}  // namespace amphora::plan
