#include "backends/vulkan/capabilities.h"

#include <algorithm>
#include <optional>
#include <set>

#include "amphora/core/error.h"
#include "amphora/device/disk_cache.h"
#include "backends/vulkan/check.h"

namespace amphora::vulkan {
namespace {

// Properties and features of a physical device, as one query each.
struct Queried {
  VkPhysicalDeviceProperties2 properties{};
  VkPhysicalDeviceVulkan11Properties v11{};
  VkPhysicalDeviceVulkan12Properties v12{};
  VkPhysicalDeviceVulkan13Properties v13{};
  VkPhysicalDeviceFeatures2 features{};
  VkPhysicalDeviceVulkan11Features f11{};
  VkPhysicalDeviceVulkan12Features f12{};
  VkPhysicalDeviceVulkan13Features f13{};
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrices{};
  VkPhysicalDeviceShaderBfloat16FeaturesKHR bfloat16{};
  std::set<std::string> extensions;
};

template <class Head, class Structure>
void chain(Head& head, Structure& structure, VkStructureType type) {
  structure.sType = type;
  structure.pNext = head.pNext;
  head.pNext = &structure;
}

std::set<std::string> extensions_of(VkPhysicalDevice device) {
  std::uint32_t count = 0;
  check(vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr), "listing a device's extensions");
  std::vector<VkExtensionProperties> list(count);
  check(vkEnumerateDeviceExtensionProperties(device, nullptr, &count, list.data()), "listing a device's extensions");
  std::set<std::string> names;
  for (const VkExtensionProperties& extension : list) names.insert(extension.extensionName);
  return names;
}

void query(VkPhysicalDevice device, Queried& q) {
  q.extensions = extensions_of(device);
  q.properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  chain(q.properties, q.v11, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES);
  chain(q.properties, q.v12, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES);
  chain(q.properties, q.v13, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES);
  vkGetPhysicalDeviceProperties2(device, &q.properties);
  q.features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  chain(q.features, q.f11, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
  chain(q.features, q.f12, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
  chain(q.features, q.f13, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
  if (q.extensions.contains(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)) {
    chain(q.features, q.matrices, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
  }
  if (q.extensions.contains(VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME)) {
    chain(q.features, q.bfloat16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR);
  }
  vkGetPhysicalDeviceFeatures2(device, &q.features);
}

// What every kernel of this backend takes for granted. Empty: it is all there.
std::string first_lack(const Queried& q) {
  const std::uint32_t version = q.properties.properties.apiVersion;
  if (version < VK_API_VERSION_1_3) {
    return fmt::format("its driver offers Vulkan {}.{}, but 1.3 is needed; update the driver",
                       VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));
  }
  struct Need {
    VkBool32 has;
    const char* name;
  };
  const Need needs[] = {{q.f12.bufferDeviceAddress, "bufferDeviceAddress"},
                        {q.f12.timelineSemaphore, "timelineSemaphore"},
                        {q.f12.vulkanMemoryModel, "vulkanMemoryModel"},
                        {q.f12.vulkanMemoryModelDeviceScope, "vulkanMemoryModelDeviceScope"},
                        {q.f11.storageBuffer16BitAccess, "storageBuffer16BitAccess"},
                        {q.f13.synchronization2, "synchronization2"},
                        {q.f13.maintenance4, "maintenance4"},
                        {q.f13.subgroupSizeControl, "subgroupSizeControl"},
                        {q.f13.computeFullSubgroups, "computeFullSubgroups"}};
  for (const Need& need : needs) {
    if (need.has == VK_FALSE) return fmt::format("it lacks the Vulkan feature {}", need.name);
  }
  constexpr VkSubgroupFeatureFlags kOperations =
      VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT | VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
  if ((q.v11.subgroupSupportedOperations & kOperations) != kOperations ||
      (q.v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) == 0) {
    return "it lacks arithmetic in subgroups of compute shaders";
  }
  return {};
}

std::optional<std::uint32_t> compute_family(VkPhysicalDevice device, Capabilities& capabilities) {
  std::uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  for (std::uint32_t i = 0; i < count; ++i) {
    if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0) continue;
    if (families[i].timestampValidBits == 0) capabilities.timestamp_ns = 0.0f;
    return i;
  }
  return std::nullopt;
}

std::optional<DType> operand_type(VkComponentTypeKHR type) {
  if (type == VK_COMPONENT_TYPE_FLOAT16_KHR) return DType::f16;
  if (type == VK_COMPONENT_TYPE_BFLOAT16_KHR) return DType::bf16;
  return std::nullopt;
}

// The shapes with 16-bit operands and an f32 accumulator. 16x16x16 comes first where it is offered: it maps to the
// hardware's own instruction on NVIDIA and AMD; else the one with the most work in it.
std::vector<MatrixShape> matrix_shapes(VkPhysicalDevice device) {
  std::uint32_t count = 0;
  check(vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, nullptr), "listing matrix shapes");
  VkCooperativeMatrixPropertiesKHR empty{};
  empty.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  std::vector<VkCooperativeMatrixPropertiesKHR> list(count, empty);
  check(vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(device, &count, list.data()), "listing matrix shapes");
  std::vector<MatrixShape> shapes;
  for (const VkCooperativeMatrixPropertiesKHR& p : list) {
    const std::optional<DType> operand = operand_type(p.AType);
    const bool sums_in_f32 = p.CType == VK_COMPONENT_TYPE_FLOAT32_KHR && p.ResultType == p.CType;
    if (!operand || p.BType != p.AType || !sums_in_f32 || p.scope != VK_SCOPE_SUBGROUP_KHR) continue;
    const MatrixShape shape{p.MSize, p.NSize, p.KSize, *operand};
    if (std::find(shapes.begin(), shapes.end(), shape) == shapes.end()) shapes.push_back(shape);
  }
  const auto rank = [](const MatrixShape& s) { return s.m == 16 && s.n == 16 && s.k == 16 ? ~0u : s.m * s.n * s.k; };
  std::stable_sort(shapes.begin(), shapes.end(),
                   [&](const MatrixShape& a, const MatrixShape& b) { return rank(a) > rank(b); });
  return shapes;
}

void add_matrices(VkPhysicalDevice device, const Queried& q, Capabilities& c) {
  if (!q.extensions.contains(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) || q.matrices.cooperativeMatrix == VK_FALSE) {
    c.unused.emplace_back("cooperative matrices: the driver does not offer VK_KHR_cooperative_matrix");
    return;
  }
  c.bf16_matrices = q.bfloat16.shaderBFloat16Type != VK_FALSE && q.bfloat16.shaderBFloat16CooperativeMatrix != VK_FALSE;
  if (!c.f16_arithmetic) c.unused.emplace_back("f16 cooperative matrices: the driver does not offer shaderFloat16");
  if (!c.bf16_matrices) {
    c.unused.emplace_back("bf16 cooperative matrices: the driver does not offer VK_KHR_shader_bfloat16 for them");
  }
  for (const MatrixShape& shape : matrix_shapes(device)) {
    if (shape.operand == DType::f16 ? c.f16_arithmetic : c.bf16_matrices) c.matrix_shapes.push_back(shape);
  }
  if (c.matrix_shapes.empty()) {
    c.unused.emplace_back("cooperative matrices: none takes 16-bit operands and sums in f32 in a subgroup");
  }
}

// A mode for one width alone is valid only where the driver keeps widths apart: f32 from the others, or each from each.
FloatControls float_controls(const VkPhysicalDeviceVulkan12Properties& p) {
  const auto denormals = p.denormBehaviorIndependence;
  const bool f32_apart = denormals != VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_NONE;
  const bool f16_apart = denormals == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL;
  const bool rounds_apart = p.roundingModeIndependence == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL;
  return {.nearest_even_f16 = p.shaderRoundingModeRTEFloat16 != VK_FALSE && rounds_apart,
          .denormals_f32 = p.shaderDenormPreserveFloat32 != VK_FALSE && f32_apart,
          .denormals_f16 = p.shaderDenormPreserveFloat16 != VK_FALSE && f16_apart,
          .specials_f32 = p.shaderSignedZeroInfNanPreserveFloat32 != VK_FALSE,
          .specials_f16 = p.shaderSignedZeroInfNanPreserveFloat16 != VK_FALSE};
}

std::uint64_t largest_device_heap(VkPhysicalDevice device) {
  VkPhysicalDeviceMemoryProperties memory{};
  vkGetPhysicalDeviceMemoryProperties(device, &memory);
  std::uint64_t largest = 0;
  for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
    if ((memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0) continue;
    largest = std::max<std::uint64_t>(largest, memory.memoryHeaps[i].size);
  }
  return largest;
}

// Intel's drivers compile for several widths and do matrices in the narrowest; elsewhere the driver's own is right.
std::uint32_t subgroup_size(const Queried& q) {
  constexpr std::uint32_t kIntel = 0x8086;
  const bool selectable = (q.v13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  if (q.properties.properties.vendorID == kIntel && selectable) return q.v13.minSubgroupSize;
  return q.v11.subgroupSize;
}

}  // namespace

const MatrixShape* Capabilities::matrix_shape(DType operand) const {
  const auto found = std::find_if(matrix_shapes.begin(), matrix_shapes.end(),
                                  [operand](const MatrixShape& shape) { return shape.operand == operand; });
  return found == matrix_shapes.end() ? nullptr : &*found;
}

Candidate inspect(VkPhysicalDevice device) {
  Queried q;
  query(device, q);
  const VkPhysicalDeviceProperties& p = q.properties.properties;
  Candidate candidate;
  candidate.handle = device;
  Capabilities& c = candidate.capabilities;
  c.name = p.deviceName;
  c.driver = fmt::format("{} {}", q.v12.driverName, q.v12.driverInfo);
  c.api_version = p.apiVersion;
  c.vendor_id = p.vendorID;
  c.device_id = p.deviceID;
  c.driver_version = p.driverVersion;
  std::copy(std::begin(p.pipelineCacheUUID), std::end(p.pipelineCacheUUID), c.cache_uuid.begin());
  c.is_cpu = p.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  c.memory_bytes = largest_device_heap(device);
  c.max_allocation = std::min<std::uint64_t>(q.v11.maxMemoryAllocationSize, q.v13.maxBufferSize);
  c.shared_memory = p.limits.maxComputeSharedMemorySize;
  c.max_invocations = p.limits.maxComputeWorkGroupInvocations;
  c.subgroup_size = subgroup_size(q);
  c.selects_subgroup_size = (q.v13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  // A CPU runs a workgroup in one thread: small ones spread better.
  c.workgroup_size = std::min(c.is_cpu ? 64u : 256u, c.max_invocations);
  for (std::size_t axis = 0; axis < 3; ++axis) c.max_groups[axis] = p.limits.maxComputeWorkGroupCount[axis];
  c.timestamp_ns = p.limits.timestampPeriod;
  c.float_controls = float_controls(q.v12);
  c.f16_arithmetic = q.f12.shaderFloat16 != VK_FALSE;

  candidate.reason_against = first_lack(q);
  const std::optional<std::uint32_t> family = compute_family(device, c);
  if (candidate.reason_against.empty() && !family) candidate.reason_against = "it has no queue for compute";
  candidate.queue_family = family.value_or(0);
  add_matrices(device, q, c);
  return candidate;
}

FeatureChain::FeatureChain(const Capabilities& capabilities) {
  features_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  chain(features_, v11_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
  chain(features_, v12_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
  chain(features_, v13_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
  v11_.storageBuffer16BitAccess = VK_TRUE;
  v12_.bufferDeviceAddress = VK_TRUE;
  v12_.timelineSemaphore = VK_TRUE;
  v12_.vulkanMemoryModel = VK_TRUE;
  v12_.vulkanMemoryModelDeviceScope = VK_TRUE;
  v12_.shaderFloat16 = capabilities.f16_arithmetic ? VK_TRUE : VK_FALSE;
  v13_.synchronization2 = VK_TRUE;
  v13_.maintenance4 = VK_TRUE;
  v13_.subgroupSizeControl = VK_TRUE;
  v13_.computeFullSubgroups = VK_TRUE;
  if (!capabilities.matrix_shapes.empty()) {
    chain(features_, matrices_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
    matrices_.cooperativeMatrix = VK_TRUE;
    extensions_.push_back(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
  }
  if (capabilities.bf16_matrices) {
    chain(features_, bfloat16_, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR);
    bfloat16_.shaderBFloat16Type = VK_TRUE;
    bfloat16_.shaderBFloat16CooperativeMatrix = VK_TRUE;
    extensions_.push_back(VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME);
  }
}

std::string cache_path(const Capabilities& capabilities, std::string_view kind) {
  std::string uuid;
  for (const std::uint8_t byte : capabilities.cache_uuid) uuid += fmt::format("{:02x}", byte);
  return amphora::cache_path(fmt::format("vulkan-{:04x}-{:04x}-{:08x}-{}.{}", capabilities.vendor_id,
                                         capabilities.device_id, capabilities.driver_version, uuid, kind));
}

}  // namespace amphora::vulkan
