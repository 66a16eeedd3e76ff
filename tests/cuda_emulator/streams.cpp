// The CUDA runtime's functions for streams and events.
#include "cuda_emulator/streams.h"

#include <algorithm>
#include <random>
#include <vector>

#include "cuda_emulator/context.h"
#include "cuda_emulator/graphs.h"
#include "cuda_emulator/machine.h"

struct CUstream_st {
  std::shared_ptr<amphora::emulator::Queue> queue = std::make_shared<amphora::emulator::Queue>();
};

namespace amphora::emulator {
namespace {

struct Record {
  Point point;  // without a queue: the null stream's
  double time = 0.0;
};

// Those that exist, in the order in which they were made.
std::vector<Queue*>& queues() {
  static std::vector<Queue*> queues;
  return queues;
}

}  // namespace
}  // namespace amphora::emulator

struct CUevent_st {
  std::shared_ptr<amphora::emulator::Record> last;
};

namespace amphora::emulator {

Queue::Queue() { queues().push_back(this); }
Queue::~Queue() { queues().erase(std::find(queues().begin(), queues().end(), this)); }

void Queue::run_next() {
  const Item item = std::move(items_.front());
  items_.pop_front();
  runs_ = true;
  if (item.waits_for.queue != nullptr) item.waits_for.queue->run_to(item.waits_for);
  item.run();
  runs_ = false;
  ++done_;
}

void Queue::run_to(const Point& point) {
  static std::mt19937 chance;
  const bool others_first = chance() % 2 == 0;
  const std::vector<Queue*> all = queues();
  while (!has_passed(point)) {
    runs_ = true;
    for (Queue* other : all) {
      if (others_first && !other->runs_) other->run_ahead();
    }
    run_next();
  }
}

void Queue::run_ahead() {
  const auto is_free = [](const Point& point) { return point.queue == nullptr || point.queue->has_passed(point); };
  while (!items_.empty() && is_free(items_.front().waits_for)) run_next();
}

void run_all() {
  const std::vector<Queue*> all = queues();
  for (Queue* queue : all) queue->run_to(queue->end());
}

cudaError_t put(cudaStream_t stream, Run run) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  if (Capture* capture = capture_of(stream)) return noted(capture->add(std::move(run)));
  if (stream == nullptr) {
    run();
  } else {
    stream->queue->add(std::move(run));
  }
  return cudaSuccess;
}

}  // namespace amphora::emulator

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace): this file is part of it

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(streams_mutex());
  stream->queue->run_to(stream->queue->end());
  delete stream;
  return state();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  if (stream != nullptr) stream->queue->run_to(stream->queue->end());
  return synchronized_state();
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  if (event->last != nullptr && event->last->point.queue != nullptr) stream->queue->wait_for(event->last->point);
  return state();
}

cudaError_t cudaDeviceSynchronize() {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  run_all();
  return synchronized_state();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(streams_mutex());
  delete event;
  return state();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const auto record = std::make_shared<Record>();
  const cudaError_t status = put(stream, [record] { record->time = device_time(); });
  const std::lock_guard lock(streams_mutex());
  if (stream != nullptr) record->point = stream->queue->end();
  event->last = record;
  return status;
}

// Asked again and again, the device goes on.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  if (event->last == nullptr || event->last->point.queue == nullptr) return synchronized_state();
  const Point& point = event->last->point;
  if (!point.queue->has_passed(point)) point.queue->run_next();
  return point.queue->has_passed(point) ? synchronized_state() : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  if (event->last != nullptr && event->last->point.queue != nullptr) {
    event->last->point.queue->run_to(event->last->point);
  }
  return synchronized_state();
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = static_cast<float>(1e-6 * (end->last->time - begin->last->time));
  return synchronized_state();
}

}  // extern "C"
