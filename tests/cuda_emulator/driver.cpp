// Device memory behind reserved addresses: files in memory, mapped. Addresses without memory fault when touched.
#include "cuda_emulator/driver.h"

#include <cstring>
#include <map>
#include <mutex>

#include <cuda.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cuda_emulator/graphs.h"
#include "cuda_emulator/machine.h"

namespace amphora::emulator {
namespace {

constexpr std::size_t kGranularity = std::size_t{2} << 20;

struct Physical {
  int file = -1;
  std::size_t bytes = 0;
  int users = 1;  // the handle, and each address
};

std::mutex driver_mutex;
std::map<CUmemGenericAllocationHandle, Physical> physical;
CUmemGenericAllocationHandle last_handle = 0;
std::map<CUdeviceptr, std::size_t> reserved;
std::map<CUdeviceptr, CUmemGenericAllocationHandle> mapped;

bool is_multiple(std::size_t bytes) { return bytes > 0 && bytes % kGranularity == 0; }

void release(CUmemGenericAllocationHandle handle) {
  const auto found = physical.find(handle);
  if (--found->second.users > 0) return;
  close(found->second.file);
  give_memory(found->second.bytes);
  physical.erase(found);
}

bool is_reserved(CUdeviceptr begin, std::size_t bytes) {
  auto range = reserved.upper_bound(begin);
  return range != reserved.begin() && begin + bytes <= std::prev(range)->first + std::prev(range)->second;
}

bool is_mapped(CUdeviceptr begin, std::size_t bytes) {
  const auto next = mapped.lower_bound(begin);
  if (next != mapped.end() && next->first < begin + bytes) return true;
  return next != mapped.begin() && std::prev(next)->first + physical.at(std::prev(next)->second).bytes > begin;
}

// Addresses without memory, from the system or over what is at `at`.
void* map_nothing(void* at, std::size_t bytes) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at == nullptr ? 0 : MAP_FIXED);
  void* begin = mmap(at, bytes, PROT_NONE, flags, -1, 0);
  return begin == MAP_FAILED ? nullptr : begin;
}

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

CUresult get_attribute(int* value, CUdevice_attribute attribute, CUdevice) {
  if (attribute != CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED) return CUDA_ERROR_INVALID_VALUE;
  *value = machine().vmm ? 1 : 0;
  return CUDA_SUCCESS;
}

CUresult reserve(CUdeviceptr* result, std::size_t bytes, std::size_t, CUdeviceptr, unsigned long long) {
  if (!is_multiple(bytes)) return CUDA_ERROR_INVALID_VALUE;
  const std::lock_guard lock(driver_mutex);
  void* start = map_nothing(nullptr, bytes + kGranularity);
  if (start == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  const auto at = reinterpret_cast<CUdeviceptr>(start);
  *result = (at + kGranularity - 1) / kGranularity * kGranularity;
  if (*result > at) munmap(start, *result - at);
  if (*result < at + kGranularity) munmap(pointer(*result + bytes), at + kGranularity - *result);
  reserved.emplace(*result, bytes);
  return CUDA_SUCCESS;
}

CUresult free_addresses(CUdeviceptr begin, std::size_t bytes) {
  const std::lock_guard lock(driver_mutex);
  const auto found = reserved.find(begin);
  if (found == reserved.end() || found->second != bytes || is_mapped(begin, bytes)) return CUDA_ERROR_INVALID_VALUE;
  munmap(pointer(begin), bytes);
  reserved.erase(found);
  return CUDA_SUCCESS;
}

// New memory is NaN as a number of any type, so that reading it shows.
bool fill_with_nan(int file, std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) return false;
  std::memset(memory, 0xFF, bytes);
  munmap(memory, bytes);
  return true;
}

CUresult create(CUmemGenericAllocationHandle* handle, std::size_t bytes, const CUmemAllocationProp* properties,
                unsigned long long) {
  if (!is_multiple(bytes) || properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_INVALID_VALUE;
  if (refused_in_capture() != cudaSuccess) return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  if (!take_memory(bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  const std::lock_guard lock(driver_mutex);
  const int file = memfd_create("device memory", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0 || !fill_with_nan(file, bytes)) {
    if (file >= 0) close(file);
    give_memory(bytes);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  *handle = ++last_handle;
  physical.emplace(*handle, Physical{.file = file, .bytes = bytes});
  return CUDA_SUCCESS;
}

CUresult release_handle(CUmemGenericAllocationHandle handle) {
  const std::lock_guard lock(driver_mutex);
  if (physical.count(handle) == 0) return CUDA_ERROR_INVALID_VALUE;
  release(handle);
  return CUDA_SUCCESS;
}

CUresult map(CUdeviceptr begin, std::size_t bytes, std::size_t offset, CUmemGenericAllocationHandle handle,
             unsigned long long) {
  const std::lock_guard lock(driver_mutex);
  const auto found = physical.find(handle);
  if (found == physical.end() || found->second.bytes != bytes || offset != 0) return CUDA_ERROR_INVALID_VALUE;
  if (!is_reserved(begin, bytes) || is_mapped(begin, bytes) || begin % kGranularity != 0) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  if (mmap(pointer(begin), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, found->second.file, 0) == MAP_FAILED) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  mapped.emplace(begin, handle);
  ++found->second.users;
  return CUDA_SUCCESS;
}

CUresult unmap(CUdeviceptr begin, std::size_t bytes) {
  const std::lock_guard lock(driver_mutex);
  const auto found = mapped.find(begin);
  if (found == mapped.end() || physical.at(found->second).bytes != bytes) return CUDA_ERROR_INVALID_VALUE;
  map_nothing(pointer(begin), bytes);
  release(found->second);
  mapped.erase(found);
  return CUDA_SUCCESS;
}

CUresult set_access(CUdeviceptr begin, std::size_t bytes, const CUmemAccessDesc* access, std::size_t count) {
  const std::lock_guard lock(driver_mutex);
  if (count != 1 || access->flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE) return CUDA_ERROR_INVALID_VALUE;
  for (CUdeviceptr at = begin; at < begin + bytes;) {
    const auto found = mapped.find(at);
    if (found == mapped.end()) return CUDA_ERROR_INVALID_VALUE;
    at += physical.at(found->second).bytes;
  }
  mprotect(pointer(begin), bytes, PROT_READ | PROT_WRITE);
  return CUDA_SUCCESS;
}

CUresult error_name(CUresult result, const char** name) {
  switch (result) {
    case CUDA_SUCCESS: *name = "CUDA_SUCCESS"; break;
    case CUDA_ERROR_INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
    case CUDA_ERROR_OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
    default: *name = nullptr; return CUDA_ERROR_INVALID_VALUE;
  }
  return CUDA_SUCCESS;
}

// Checked against the driver's own declaration of the function.
template <class Function>
void* as(Function* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

void* driver_function(const std::string& name) {
  if (name == "cuDeviceGetAttribute") return as<decltype(cuDeviceGetAttribute)>(get_attribute);
  if (name == "cuMemAddressReserve") return as<decltype(cuMemAddressReserve)>(reserve);
  if (name == "cuMemAddressFree") return as<decltype(cuMemAddressFree)>(free_addresses);
  if (name == "cuMemCreate") return as<decltype(cuMemCreate)>(create);
  if (name == "cuMemRelease") return as<decltype(cuMemRelease)>(release_handle);
  if (name == "cuMemMap") return as<decltype(cuMemMap)>(map);
  if (name == "cuMemUnmap") return as<decltype(cuMemUnmap)>(unmap);
  if (name == "cuMemSetAccess") return as<decltype(cuMemSetAccess)>(set_access);
  if (name == "cuGetErrorName") return as<decltype(cuGetErrorName)>(error_name);
  return nullptr;
}

}  // namespace amphora::emulator
