// Streams: work that waits until the host asks how far it is.
//
// Nothing that is put into a stream runs before the host, or a stream that is waited for, needs it. Then the stream's
// own work runs in order, and work of other streams that waits for nothing runs either before all of it or not at all,
// as a die falls, the same in every run: so an order between streams that no event makes shows as other bits. The null
// stream's work runs at once.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include <cuda_runtime_api.h>

namespace amphora::emulator {

using Run = std::function<void()>;

class Queue;

// A point in a stream: all that was put into it before.
struct Point {
  std::shared_ptr<Queue> queue;
  std::uint64_t count = 0;
};

class Queue : public std::enable_shared_from_this<Queue> {
 public:
  Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue();

  void add(Run run) { items_.push_back({std::move(run), {}}); }
  void wait_for(const Point& point) {
    items_.push_back({[] {}, point});
  }
  Point end() { return {shared_from_this(), done_ + items_.size()}; }
  bool has_passed(const Point& point) const { return done_ >= point.count; }

  // Runs what comes before a point.
  void run_to(const Point& point);
  void run_next();
  // Runs what waits for no other stream.
  void run_ahead();

 private:
  struct Item {
    Run run;
    Point waits_for;
  };
  std::deque<Item> items_;
  std::uint64_t done_ = 0;
  bool runs_ = false;
};

// Runs all that there is.
void run_all();

// Queues work, or notes it as a node of the graph that the stream captures.
cudaError_t put(cudaStream_t stream, Run run);

}  // namespace amphora::emulator
