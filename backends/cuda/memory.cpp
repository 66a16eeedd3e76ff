#include "backends/cuda/memory.h"

#include <algorithm>
#include <map>
#include <vector>

#include "backends/cuda/check.h"
#include "backends/cuda/driver.h"

namespace amphora::cuda {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{32} << 20;
// Addresses cost nothing; so many times the device's memory outlast what reclaiming moves about.
constexpr std::size_t kReservedShare = 8;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

class ReservedMemory : public Memory {
 public:
  ReservedMemory(const Driver& driver, const Capabilities& capabilities) : driver_(driver) {
    properties_.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties_.location = {CU_MEM_LOCATION_TYPE_DEVICE, capabilities.index};
    reserved_.bytes = rounded_up(kReservedShare * capabilities.memory_bytes, kChunkBytes);
    CUdeviceptr begin = 0;
    driver_.check(driver_.reserve(&begin, reserved_.bytes, 0, 0, 0), "reserving addresses");
    reserved_.begin = begin;
    next_ = begin;
  }

  ~ReservedMemory() override {
    for (const auto& [address, handle] : chunks_) {
      driver_.unmap(address, kChunkBytes);
      driver_.release(handle);
    }
    for (const CUmemGenericAllocationHandle handle : spare_) driver_.release(handle);
    driver_.free(reserved_.begin, reserved_.bytes);
  }

  std::optional<Range> grow(std::size_t bytes) override {
    const Range range{next_, rounded_up(bytes, kChunkBytes)};
    if (range.bytes > reserved_.end() - next_ || !has_spare(range.bytes / kChunkBytes)) return {};
    for (Address at = range.begin; at < range.end(); at += kChunkBytes) {
      driver_.check(driver_.map(at, kChunkBytes, 0, spare_.back(), 0), "putting memory behind addresses");
      chunks_.emplace(at, spare_.back());
      spare_.pop_back();
    }
    const CUmemAccessDesc access{properties_.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    driver_.check(driver_.set_access(range.begin, range.bytes, &access, 1), "opening memory for the device");
    next_ = range.end();
    return range;
  }

  Range reclaim(const Range& unused) override {
    const Address begin = reserved_.begin + rounded_up(unused.begin - reserved_.begin, kChunkBytes);
    const Address end = reserved_.begin + (unused.end() - reserved_.begin) / kChunkBytes * kChunkBytes;
    if (begin >= end) return {};
    for (Address at = begin; at < end; at += kChunkBytes) {
      driver_.check(driver_.unmap(at, kChunkBytes), "taking memory from addresses");
      const auto chunk = chunks_.find(at);
      spare_.push_back(chunk->second);
      chunks_.erase(chunk);
    }
    return {begin, end - begin};
  }

 private:
  // Whether so many chunks are there, or could be had.
  bool has_spare(std::size_t count) {
    while (spare_.size() < count) {
      CUmemGenericAllocationHandle handle = 0;
      const CUresult result = driver_.create(&handle, kChunkBytes, &properties_, 0);
      ++requests_;
      if (result == CUDA_ERROR_OUT_OF_MEMORY) return false;
      driver_.check(result, "asking for device memory");
      spare_.push_back(handle);
      held_ += kChunkBytes;
    }
    return true;
  }

  Driver driver_;
  CUmemAllocationProp properties_{};
  Range reserved_;
  Address next_ = 0;  // the first address without memory that was never used
  std::map<Address, CUmemGenericAllocationHandle> chunks_;
  std::vector<CUmemGenericAllocationHandle> spare_;
};

class PlainMemory : public Memory {
 public:
  ~PlainMemory() override {
    for (const auto& [address, piece] : pieces_) cudaFree(piece);
  }

  std::optional<Range> grow(std::size_t bytes) override {
    const std::size_t size = rounded_up(bytes, kChunkBytes);
    void* piece = nullptr;
    // A gap behind it: two pieces must not become neighbours, since a copy may not cross from one to the other.
    const cudaError_t status = cudaMalloc(&piece, size + kGap);
    ++requests_;
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      return {};
    }
    check(status, "asking for device memory");
    const auto begin = reinterpret_cast<Address>(piece);
    pieces_.emplace(begin, piece);
    sizes_.emplace(begin, size);
    held_ += size;
    return Range{begin, size};
  }

  Range reclaim(const Range& unused) override {
    const auto piece = pieces_.find(unused.begin);
    if (piece == pieces_.end() || sizes_.at(unused.begin) != unused.bytes) return {};
    check(cudaFree(piece->second), "giving device memory back");
    held_ -= unused.bytes;
    pieces_.erase(piece);
    sizes_.erase(unused.begin);
    return unused;
  }

 private:
  static constexpr std::size_t kGap = 512;
  std::map<Address, void*> pieces_;
  std::map<Address, std::size_t> sizes_;
};

}  // namespace

std::unique_ptr<Memory> make_memory(const Capabilities& capabilities) {
  const Driver driver;
  int reserves = 0;
  driver.check(
      driver.device_attribute(&reserves, CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, capabilities.index),
      "asking whether addresses can be reserved");
  if (reserves != 0) return std::make_unique<ReservedMemory>(driver, capabilities);
  return std::make_unique<PlainMemory>();
}

}  // namespace amphora::cuda
