#include "backends/cuda/select.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "amphora/core/error.h"
#include "backends/cuda/check.h"
#include "backends/cuda/device.h"
#include "cuda/include/copy.h"

namespace amphora::cuda {
namespace {

constexpr int kOldestCapability = 75;  // Turing: the first whose Tensor Cores CUDA 13 compiles for

// 13000 -> "13.0"
std::string str(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

struct Candidate {
  Capabilities capabilities;
  std::string reason_against;  // empty: it can be used
};

int count_devices() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess) return count;
  cudaGetLastError();
  int driver = 0;
  cudaDriverGetVersion(&driver);
  int runtime = 0;
  cudaRuntimeGetVersion(&runtime);
  require(driver != 0, "no NVIDIA driver works here ({})", cudaGetErrorString(status));
  require(status != cudaErrorNoDevice,
          "the NVIDIA driver finds no device; look at nvidia-smi and CUDA_VISIBLE_DEVICES");
  require(driver / 1000 >= runtime / 1000,
          "the NVIDIA driver is too old: it runs CUDA {} at most, this build needs CUDA {}; install a newer driver",
          str(driver), str(runtime));
  check(status, "counting devices");
  return 0;
}

// Why this build's kernels cannot run on a device; empty: they can.
std::string reason_against_architecture(const Capabilities& c) {
  if (c.compute_capability() < kOldestCapability) {
    return fmt::format("its compute capability is {}.{}; 7.5 (Turing) or newer is needed", c.major, c.minor);
  }
  check(cudaSetDevice(c.index), fmt::format("opening device {}", c.index));
  cudaFuncAttributes attributes{};
  const cudaError_t status = cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernels::cast));
  if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorUnsupportedPtxVersion) {
    cudaGetLastError();
    return fmt::format(
        "its architecture, sm_{}, is not built: this build has {}. Configure with "
        "-DAMPHORA_CUDA_ARCHITECTURES=\"{}-real\" or add it to the list",
        c.compute_capability(), AMPHORA_CUDA_ARCHITECTURES, c.compute_capability());
  }
  check(status, "looking for this device's kernels");
  return {};
}

std::vector<Candidate> find_candidates() {
  std::vector<Candidate> result;
  const int count = count_devices();
  for (int index = 0; index < count; ++index) {
    Candidate candidate{inspect(index), {}};
    candidate.reason_against = reason_against_architecture(candidate.capabilities);
    result.push_back(std::move(candidate));
  }
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

bool is_named(const Capabilities& device, std::string_view wish) {
  int number = 0;
  const auto [end, error] = std::from_chars(wish.data(), wish.data() + wish.size(), number);
  if (error == std::errc() && end == wish.data() + wish.size()) return number == device.index;
  return lower(device.name).find(lower(wish)) != std::string::npos;
}

Capabilities select(std::string_view wish) {
  std::string listed;
  for (const Candidate& candidate : find_candidates()) {
    const Capabilities& device = candidate.capabilities;
    listed += fmt::format("{}{}: {}", listed.empty() ? "" : ", ", device.index, device.name);
    if (!wish.empty() && !is_named(device, wish)) continue;
    require(candidate.reason_against.empty(), "the CUDA device '{}' cannot be used: {}", device.name,
            candidate.reason_against);
    return device;
  }
  fail("no CUDA device is called '{}'. There is {}", wish, listed);
}

DeviceReport report_of(const Candidate& candidate) {
  const Capabilities& c = candidate.capabilities;
  DeviceReport result{c.name, candidate.reason_against, {}};
  const auto add = [&result](const char* name, std::string value) {
    result.facts.emplace_back(name, std::move(value));
  };
  add("driver",
      fmt::format("runs CUDA up to {}; this build: CUDA {}, cuBLASLt {}", str(c.driver), str(c.runtime), c.cublaslt));
  add("architecture", fmt::format("sm_{}; built for {}", c.compute_capability(), AMPHORA_CUDA_ARCHITECTURES));
  add("memory", fmt::format("{:.1f} GiB, {:.0f} MiB L2 cache", static_cast<double>(c.memory_bytes) / 0x1p30,
                            static_cast<double>(c.l2_bytes) / 0x1p20));
  add("multiprocessors", fmt::format("{}, {} threads each", c.multiprocessors, c.max_threads));
  add("Tensor Cores", fmt::format("f16{}{}", c.multiplies_bf16() ? " bf16" : "", c.multiplies_tf32() ? " tf32" : ""));
  return result;
}

}  // namespace

BackendStatus status_of_devices() {
  try {
    const Capabilities device = select({});
    return {true, device.name, device.emulated};
  } catch (const Error& error) {
    return {false, error.what()};
  }
}

std::shared_ptr<Device> open_device_of(const DeviceOptions& options) {
  const Capabilities device = select(options.device);
  check(cudaSetDevice(device.index), fmt::format("opening {}", device.name));
  return std::make_shared<CudaDevice>(device);
}

std::vector<DeviceReport> report_devices() {
  std::vector<DeviceReport> result;
  for (const Candidate& candidate : find_candidates()) result.push_back(report_of(candidate));
  return result;
}

}  // namespace amphora::cuda
