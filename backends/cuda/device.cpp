#include "backends/cuda/device.h"

#include <algorithm>

#include "amphora/core/error.h"
#include "amphora/kernel/validate.h"
#include "backends/cuda/backend.h"
#include "backends/cuda/buffer.h"
#include "backends/cuda/check.h"
#include "backends/cuda/graph.h"
#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda {
namespace {

std::vector<Precision> precisions_of(const Capabilities& capabilities) {
  std::vector<Precision> result{Precision::f32};
  if (capabilities.multiplies_tf32()) result.push_back(Precision::tf32);
  result.push_back(Precision::f16);
  if (capabilities.multiplies_bf16()) result.push_back(Precision::bf16);
  return result;
}

// Of this thread; another one may have been chosen by another Device.
void choose(const Capabilities& capabilities) {
  check(cudaSetDevice(capabilities.index), "choosing the device for this thread");
}

bool uses_inputs(const KernelCall& call) {
  return std::any_of(call.buffers.begin(), call.buffers.begin() + call.buffer_count, [](const BufferRange& range) {
    return range.buffer != nullptr && range.buffer->kind() == MemoryKind::inputs;
  });
}

}  // namespace

CudaDevice::CudaDevice(const Capabilities& capabilities)
    : capabilities_(capabilities),
      pool_(std::make_shared<BlockPool>(make_memory(capabilities))),
      stream_(capabilities_, *pool_),
      products_(capabilities_, *pool_),
      staging_(std::make_shared<Staging>(stream_)) {
  stream_.use(products_);
  info_ = {"cuda", capabilities_.name, precisions_of(capabilities_), false, kBackend.fused};
}

std::string CudaDevice::do_path(KernelId kernel, const Spec& spec) const {
  if (kernel != KernelId::matmul) return "kernel";
  return multiplies(spec, capabilities_) ? "cuBLASLt" : "fma";
}

BufferPtr CudaDevice::do_allocate(std::size_t bytes, MemoryKind kind) {
  choose(capabilities_);
  const std::uint64_t requests = pool_->memory().requests();
  std::unique_ptr<Block> block = stream_.take(bytes, name_of(kind));
  counters_.allocations += pool_->memory().requests() - requests;
  return std::make_shared<CudaBuffer>(*this, bytes, kind, std::move(block), memory_);
}

void CudaDevice::do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) {
  choose(capabilities_);
  staging_->upload(static_cast<CudaBuffer&>(target), offset, source);
}

std::unique_ptr<Readback> CudaDevice::do_read(const Buffer& source, std::size_t offset, std::size_t bytes) {
  choose(capabilities_);
  return Staging::read(staging_, source, offset, bytes);
}

void CudaDevice::do_launch(const KernelCall& call) {
  choose(capabilities_);
  staging_->join();
  if (uses_inputs(call)) staging_->used_in_order();
  stream_.begin_call();
  find_launcher(call.id)(call, stream_);
}

Device::Timing CudaDevice::do_timed_launch(const KernelCall& call) {
  choose(capabilities_);
  Event begin(cudaEventDefault);
  Event end(cudaEventDefault);
  stream_.record_names(true);
  begin.record(stream_.handle());
  do_launch(call);
  end.record(stream_.handle());
  stream_.record_names(false);
  stream_.wait();
  float milliseconds = 0.0f;
  check(cudaEventElapsedTime(&milliseconds, begin.handle(), end.handle()), "reading a kernel's time");
  return {1e-3 * static_cast<double>(milliseconds), stream_.names()};
}

std::unique_ptr<Executable> CudaDevice::do_compile(std::vector<KernelCall> calls) {
  if (stream_.waits_for_each()) return Device::do_compile(std::move(calls));
  choose(capabilities_);
  staging_->join();
  stream_.begin_call();
  return std::make_unique<CudaExecutable>(std::move(calls), stream_);
}

void CudaDevice::do_submit(Executable& executable) {
  if (stream_.waits_for_each()) return Device::do_submit(executable);
  const auto& step = static_cast<CudaExecutable&>(executable);
  choose(capabilities_);
  staging_->join();
  stream_.ran("a compiled step", cudaGraphLaunch(step.graph(), stream_.handle()));
  staging_->submitted(step.inputs());
}

void CudaDevice::do_wait() { stream_.wait(); }

}  // namespace amphora::cuda
