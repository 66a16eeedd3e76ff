#include "cuda_emulator/grid.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <map>
#include <vector>

#include <boost/context/detail/fcontext.hpp>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace amphora::emulator {
namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

constexpr unsigned kLanes = 32;

// --- stacks, and what AddressSanitizer must know when they change ---

#ifdef __SANITIZE_ADDRESS__
void before_switch(void** own, const void* bottom, std::size_t bytes) {
  __sanitizer_start_switch_fiber(own, bottom, bytes);
}
void after_switch(void* own, const void** from, std::size_t* bytes) {
  __sanitizer_finish_switch_fiber(own, from, bytes);
}
void forget_frames(const void* stack, std::size_t bytes) { __asan_unpoison_memory_region(stack, bytes); }
#else
void before_switch(void**, const void*, std::size_t) {}
void after_switch(void*, const void**, std::size_t*) {}
void forget_frames(const void*, std::size_t) {}
#endif

class Stack {
 public:
  static constexpr std::size_t kBytes = std::size_t{512} << 10;

  Stack() {
    memory_ =
        mmap(nullptr, kBytes + kGuard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    mprotect(memory_, kGuard, PROT_NONE);  // overflow faults
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  ~Stack() { munmap(memory_, kBytes + kGuard); }

  void* bottom() const { return static_cast<char*>(memory_) + kGuard; }
  void* top() const { return static_cast<char*>(memory_) + kGuard + kBytes; }

 private:
  static constexpr std::size_t kGuard = 4096;
  void* memory_;
};

struct Fiber {
  Stack stack;
  fcontext_t context = nullptr;
  void* own = nullptr;  // AddressSanitizer's
};

enum class State : unsigned char { ready, waits_for_block, waits_for_warp, ended };

struct Warp {
  unsigned arrived = 0;
  unsigned meetings = 0;
  WarpFunction function = WarpFunction::sync;
  // A lane may enter the next meeting before others have read what this one brought, but not the one after it.
  std::array<std::array<std::uint64_t, kLanes>, 2> values{};
};

class Runner {
 public:
  bool run(const Launch& launch);

  unsigned thread() const { return current_; }
  bool meet_block(bool value);
  const std::uint64_t* meet_warp(WarpFunction function, unsigned mask, std::uint64_t value);

 private:
  void run_block();
  void run_warps();
  bool open_barrier();

  unsigned in_order(unsigned i, unsigned count) const { return descending_ ? count - 1 - i : i; }
  void become(unsigned thread);
  [[noreturn]] static void enter(transfer_t from);
  void start_threads();
  void resume(Fiber& fiber);
  void leave();
  void wait(State state);
  void fail(const char* why);

  const Launch* launch_ = nullptr;
  unsigned threads_ = 0;
  // Each kernel takes turns of its own: where two kernels are launched by turns, turns of launches would give each of
  // them one order for ever.
  std::map<const void*, bool> descending_next_;
  bool descending_ = false;
  bool failed_ = false;

  unsigned started_ = 0;
  unsigned current_ = 0;
  std::vector<State> states_;
  std::vector<Fiber*> fibers_of_threads_;
  std::vector<Warp> warps_;
  bool any_ = false;       // of those that wait for the block now
  bool any_last_ = false;  // of those that met last

  std::deque<Fiber> fibers_;
  Fiber* running_ = nullptr;
  fcontext_t host_ = nullptr;
  const void* host_bottom_ = nullptr;
  std::size_t host_bytes_ = 0;
};

Runner& runner() {
  static Runner runner;
  return runner;
}

// --- between the host's stack and a thread's ---

// A fiber takes threads as long as none of them waits, so that kernels without barriers cost no switches.
void Runner::enter(transfer_t from) {
  Runner& self = *static_cast<Runner*>(from.data);
  after_switch(nullptr, &self.host_bottom_, &self.host_bytes_);
  self.host_ = from.fctx;
  while (true) {
    self.start_threads();
    self.leave();
  }
}

void Runner::start_threads() {
  while (started_ < threads_) {
    become(in_order(started_++, threads_));
    launch_->kernel(launch_->arguments);
    states_[current_] = State::ended;
  }
}

void Runner::resume(Fiber& fiber) {
  running_ = &fiber;
  void* own = nullptr;
  before_switch(&own, fiber.stack.bottom(), Stack::kBytes);
  fiber.context = jump_fcontext(fiber.context, this).fctx;
  after_switch(own, nullptr, nullptr);
}

void Runner::leave() {
  Fiber& self = *running_;
  before_switch(&self.own, host_bottom_, host_bytes_);
  host_ = jump_fcontext(host_, nullptr).fctx;
  after_switch(self.own, &host_bottom_, &host_bytes_);
}

void Runner::become(unsigned thread) {
  const dim3& size = launch_->threads;
  current_ = thread;
  threadIdx = {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
}

void Runner::wait(State state) {
  states_[current_] = state;
  leave();
}

// --- a grid ---

bool Runner::run(const Launch& launch) {
  launch_ = &launch;
  threads_ = launch.threads.x * launch.threads.y * launch.threads.z;
  bool& descending_next = descending_next_[launch.name];
  descending_ = descending_next;
  descending_next = !descending_next;
  failed_ = false;
  blockDim = launch.threads;
  gridDim = launch.blocks;
  for (unsigned z = 0; z < gridDim.z; ++z) {
    for (unsigned y = 0; y < gridDim.y; ++y) {
      for (unsigned x = 0; x < gridDim.x && !failed_; ++x) {
        blockIdx = {x, y, z};
        run_block();
        descending_ = !descending_;
      }
    }
  }
  if (failed_) {
    // Threads that will never end are forgotten with their stacks.
    for (const Fiber& fiber : fibers_) forget_frames(fiber.stack.bottom(), Stack::kBytes);
    fibers_.clear();
  }
  return !failed_;
}

void Runner::run_block() {
  states_.assign(threads_, State::ready);
  fibers_of_threads_.assign(threads_, nullptr);
  warps_.resize((threads_ + kLanes - 1) / kLanes);
  for (Warp& warp : warps_) warp.arrived = 0;
  any_ = false;
  started_ = 0;
  for (std::size_t used = 0; started_ < threads_ && !failed_;) {
    if (used == fibers_.size()) {
      Fiber& added = fibers_.emplace_back();
      added.context = make_fcontext(added.stack.top(), Stack::kBytes, enter);
    }
    resume(fibers_[used]);
    if (states_[current_] != State::ended) fibers_of_threads_[current_] = &fibers_[used++];
  }
  do {
    run_warps();
  } while (!failed_ && open_barrier());
}

// Until each thread has ended or waits for one of another warp.
void Runner::run_warps() {
  const auto warps = static_cast<unsigned>(warps_.size());
  for (unsigned w = 0; w < warps; ++w) {
    const unsigned first = in_order(w, warps) * kLanes;
    const unsigned lanes = std::min(kLanes, threads_ - first);
    for (bool again = true; again && !failed_;) {
      again = false;
      for (unsigned i = 0; i < lanes && !failed_; ++i) {
        const unsigned thread = first + in_order(i, lanes);
        if (states_[thread] != State::ready) continue;
        become(thread);
        resume(*fibers_of_threads_[thread]);
        again = true;
      }
    }
  }
}

// Lets the threads that wait for the block go on; false when none does.
bool Runner::open_barrier() {
  unsigned waiting = 0;
  unsigned in_warp = 0;
  for (const State state : states_) {
    waiting += state == State::waits_for_block ? 1u : 0u;
    in_warp += state == State::waits_for_warp ? 1u : 0u;
  }
  if (in_warp > 0) fail("a function of the warp was reached by a part of a warp");
  if (waiting > 0 && waiting < threads_) fail("__syncthreads() was reached by a part of the block");
  if (failed_ || waiting == 0) return false;
  for (State& state : states_) state = State::ready;
  any_last_ = any_;
  any_ = false;
  return true;
}

bool Runner::meet_block(bool value) {
  any_ = any_ || value;
  wait(State::waits_for_block);
  return any_last_;
}

const std::uint64_t* Runner::meet_warp(WarpFunction function, unsigned mask, std::uint64_t value) {
  const unsigned first = current_ / kLanes * kLanes;
  Warp& warp = warps_[current_ / kLanes];
  if (mask != ~0u) fail("a function of the warp was called with a mask that is not full");
  if (first + kLanes > threads_) fail("a function of the warp was called in a warp of less than 32 threads");
  if (warp.arrived > 0 && warp.function != function) fail("lanes of a warp are in different functions of the warp");
  if (failed_) wait(State::waits_for_warp);  // for ever

  auto& values = warp.values[warp.meetings % 2];
  values[current_ - first] = value;
  warp.function = function;
  if (++warp.arrived < kLanes) {
    wait(State::waits_for_warp);
  } else {
    warp.arrived = 0;
    ++warp.meetings;
    for (unsigned i = first; i < first + kLanes; ++i) states_[i] = State::ready;
  }
  return values.data();
}

void Runner::fail(const char* why) {
  if (!failed_) {
    std::fprintf(stderr, "emulator of CUDA: %s (block %u %u %u)\n", why, blockIdx.x, blockIdx.y, blockIdx.z);
  }
  failed_ = true;
}

}  // namespace

bool run_grid(const Launch& launch) { return runner().run(launch); }
unsigned lane() { return runner().thread() % kLanes; }
bool meet_block(bool value) { return runner().meet_block(value); }
const std::uint64_t* meet_warp(WarpFunction function, unsigned mask, std::uint64_t value) {
  return runner().meet_warp(function, mask, value);
}

}  // namespace amphora::emulator
