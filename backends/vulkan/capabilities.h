// What a physical device offers, and what of it this backend uses.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "amphora/core/dtype.h"
#include "backends/vulkan/vulkan.h"

namespace amphora::vulkan {

class Instance;

// A cooperative-matrix product of subgroup scope: c (m x n, f32) += a (m x k) b (k x n).
struct MatrixShape {
  std::uint32_t m = 0;
  std::uint32_t n = 0;
  std::uint32_t k = 0;
  DType operand = DType::f16;  // of a and b: f16 or bf16
  bool operator==(const MatrixShape&) const = default;
};

struct FloatControls {
  bool nearest_even_f16 = false;  // RoundingModeRTE 16
  bool denormals_f32 = false;     // DenormPreserve 32
  bool denormals_f16 = false;
  bool specials_f32 = false;  // SignedZeroInfNanPreserve 32
  bool specials_f16 = false;
};

struct Capabilities {
  std::string name;    // "NVIDIA H200"
  std::string driver;  // "NVIDIA 580.65.06"
  std::uint32_t api_version = 0;
  std::uint32_t vendor_id = 0;
  std::uint32_t device_id = 0;
  std::uint32_t driver_version = 0;
  std::array<std::uint8_t, VK_UUID_SIZE> cache_uuid{};
  bool is_cpu = false;

  std::uint64_t memory_bytes = 0;      // of the largest device-local heap
  std::uint64_t max_allocation = 0;    // bytes of one allocation
  std::uint32_t shared_memory = 0;     // bytes a workgroup
  std::uint32_t max_invocations = 0;   // a workgroup
  std::uint32_t subgroup_size = 0;     // required of every pipeline that depends on it
  bool selects_subgroup_size = false;  // whether a pipeline can require one
  std::uint32_t workgroup_size = 0;    // of one-dimensional kernels
  std::array<std::uint32_t, 3> max_groups{};
  std::uint64_t near_bytes = std::uint64_t{1} << 31;  // of an array that drivers index in 32 bits, with a sign
  float timestamp_ns = 0.0f;                          // of one tick; 0: no timestamps
  FloatControls float_controls;

  bool f16_arithmetic = false;             // shaderFloat16
  bool bf16_matrices = false;              // shaderBFloat16Type and shaderBFloat16CooperativeMatrix
  bool hardware_f16 = true;                // packHalf2x16 rounds as core/dtype.h does; the self-test's finding
  std::vector<MatrixShape> matrix_shapes;  // usable ones, the preferred first
  std::vector<std::string> unused;         // "bfloat16: the driver does not offer VK_KHR_shader_bfloat16"

  // The shape for operands of this type; null: none, the FMA kernel runs.
  const MatrixShape* matrix_shape(DType operand) const;
};

// Where what was found out about this device and driver is kept, "vulkan-10de-2335-....<kind>", see disk_cache.h.
std::string cache_path(const Capabilities& capabilities, std::string_view kind);

// A physical device with the queue family for compute, and why it cannot be used (empty: it can).
struct Candidate {
  std::shared_ptr<Instance> instance;  // whose handle this is
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  std::uint32_t queue_family = 0;
  Capabilities capabilities;
  std::string reason_against;
};
Candidate inspect(VkPhysicalDevice device);

// The features of a Candidate that were chosen, as a chain for VkDeviceCreateInfo.
class FeatureChain {
 public:
  explicit FeatureChain(const Capabilities& capabilities);
  FeatureChain(const FeatureChain&) = delete;
  FeatureChain& operator=(const FeatureChain&) = delete;

  const VkPhysicalDeviceFeatures2* head() const { return &features_; }
  const std::vector<const char*>& extensions() const { return extensions_; }

 private:
  VkPhysicalDeviceFeatures2 features_{};
  VkPhysicalDeviceVulkan11Features v11_{};
  VkPhysicalDeviceVulkan12Features v12_{};
  VkPhysicalDeviceVulkan13Features v13_{};
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices_{};
  VkPhysicalDeviceShaderBfloat16FeaturesKHR bfloat16_{};
  std::vector<const char*> extensions_;
};

}  // namespace amphora::vulkan
