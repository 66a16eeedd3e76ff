#include "backends/cuda/stream.h"

#include <algorithm>

#include "amphora/core/bytes_text.h"
#include "amphora/core/error.h"
#include "backends/cuda/buffer.h"
#include "backends/cuda/check.h"
#include "backends/cuda/environment.h"
#include "backends/cuda/graph_scratch.h"

namespace amphora::cuda {
Stream::Stream(const Capabilities& capabilities, BlockPool& pool)
    : capabilities_(capabilities), pool_(pool), waits_for_each_(environment().synchronous) {
  check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "making a stream");
  check(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "making a stream for copies");
}

// Memory goes after this, so what was queued must end first. After a fault this fails; what was asked for has thrown.
Stream::~Stream() {
  for (const cudaStream_t stream : {handle_, copies_}) {
    cudaStreamSynchronize(stream);
    cudaStreamDestroy(stream);
  }
}

unsigned Stream::blocks_for(std::uint64_t items, unsigned per_thread) const {
  const std::uint64_t per_block = std::uint64_t{kThreads} * per_thread;
  const auto resident = static_cast<std::uint64_t>(capabilities_.multiprocessors) *
                        static_cast<std::uint64_t>(capabilities_.max_threads) / kThreads;
  return static_cast<unsigned>(std::min((items + per_block - 1) / per_block, std::max<std::uint64_t>(resident, 1)));
}

std::unique_ptr<Block> Stream::take(std::size_t bytes, std::string_view what) {
  std::unique_ptr<Block> block = pool_.take(bytes);
  if (block != nullptr) return block;
  // What is unused may lie in pieces that are too small; together they may do.
  wait();
  pool_.compact();
  block = pool_.take(bytes);
  if (block != nullptr) return block;
  std::size_t free = 0;  // the rest is in use
  std::size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "asking how much memory is free");
  throw OutOfMemory(fmt::format(
      "out of memory on cuda ({}): {} asked for {}, {} in use, {} held of {}, {} free on the device. Use smaller "
      "batches, gradient accumulation or a smaller model, or close what else uses the device",
      capabilities_.name, bytes_text(bytes), what, bytes_text(pool_.in_use()), bytes_text(pool_.memory().held()),
      bytes_text(capabilities_.memory_bytes), bytes_text(free)));
}

bool Stream::is_rehearsal() const { return graph_scratch_ != nullptr && !graph_scratch_->has_memory(); }

void* Stream::scratch(std::size_t bytes) {
  if (graph_scratch_ != nullptr) return graph_scratch_->take(bytes);
  scratch_.push_back(take(bytes, "a kernel's intermediate results"));
  return scratch_.back()->data();
}

void Stream::ran(std::string_view name, cudaError_t status) {
  last_ = name;
  if (status != cudaSuccess) check(status, fmt::format("launching {}", name));
  if (records_) names_.emplace_back(name);
  if (waits_for_each_) wait();
}

void Stream::ran(std::string_view name, cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) check(status, fmt::format("launching {}", name));
  ran(name, cudaSuccess);
}

void Stream::begin_call() {
  scratch_.clear();
  names_.clear();
}

void Stream::wait() {
  cudaError_t status = cudaStreamSynchronize(handle_);
  if (status == cudaSuccess) status = cudaStreamSynchronize(copies_);
  if (status == cudaSuccess) return;
  check(status, waits_for_each_ ? fmt::format("running {}", last_)
                                : fmt::format("waiting for the device; {} was launched last", last_));
}

void* address_of(const KernelCall& call, std::size_t index) {
  const BufferRange& range = call.buffers[index];
  return range.buffer == nullptr ? nullptr : data_of(*range.buffer, range.offset);
}

Array array_of(const KernelCall& call, std::size_t index, DType type) {
  void* data = address_of(call, index);
  return {data, type, reinterpret_cast<Address>(data) % 16 == 0};
}

Array array_of(const KernelCall& call, std::size_t index) { return array_of(call, index, call.spec.types[index]); }

}  // namespace amphora::cuda
