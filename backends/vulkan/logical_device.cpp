#include "backends/vulkan/logical_device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "amphora/core/error.h"
#include "backends/vulkan/check.h"
#include "backends/vulkan/environment.h"

namespace amphora::vulkan {
namespace {

constexpr const char* kValidationLayer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data, void* instance) {
  static_cast<Instance*>(instance)->complain(data->pMessage);
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(Instance* instance) {
  return {.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
          .pNext = nullptr,
          .flags = 0,
          .messageSeverity =
              VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
          .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
          .pfnUserCallback = on_message,
          .pUserData = instance};
}

bool has_validation_layer() {
  std::uint32_t count = 0;
  check(vkEnumerateInstanceLayerProperties(&count, nullptr), "listing the Vulkan layers");
  std::vector<VkLayerProperties> layers(count);
  check(vkEnumerateInstanceLayerProperties(&count, layers.data()), "listing the Vulkan layers");
  return std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties& layer) {
    return std::strcmp(layer.layerName, kValidationLayer) == 0;
  });
}

}  // namespace

std::shared_ptr<Instance> Instance::get() {
  static std::mutex mutex;
  static std::weak_ptr<Instance> shared;
  const std::scoped_lock lock(mutex);
  std::shared_ptr<Instance> instance = shared.lock();
  if (instance == nullptr) {
    instance = std::shared_ptr<Instance>(new Instance());
    shared = instance;
  }
  return instance;
}

Instance::Instance() {
  require(volkInitialize() == VK_SUCCESS,
          "there is no Vulkan loader (libvulkan.so.1) on this machine; install the GPU's driver, or Mesa's "
          "(mesa-vulkan-drivers and libvulkan1 on Debian)");
  const std::uint32_t version = volkGetInstanceVersion();
  require(version >= VK_API_VERSION_1_3, "the Vulkan loader knows Vulkan {}.{}, but 1.3 is needed; update it",
          VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version));

  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pNext = nullptr,
                                      .pApplicationName = "amphora",
                                      .applicationVersion = 0,
                                      .pEngineName = "amphora",
                                      .engineVersion = 0,
                                      .apiVersion = VK_API_VERSION_1_3};
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;

  constexpr VkValidationFeatureEnableEXT kEnabled[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  const VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(this);
  VkValidationFeaturesEXT features{};
  features.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
  features.pNext = &messenger;
  features.enabledValidationFeatureCount = std::size(kEnabled);
  features.pEnabledValidationFeatures = kEnabled;
  const char* layers[] = {kValidationLayer};
  const char* extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME};
  const bool validates = environment().validation;
  if (validates) {
    require(
        has_validation_layer(),
        "AMPHORA_VULKAN_VALIDATION is set, but there is no {}; install vulkan-validationlayers, or let VK_LAYER_PATH "
        "name its folder",
        kValidationLayer);
    info.pNext = &features;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = layers;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = extensions;
  }
  check(vkCreateInstance(&info, nullptr, &handle_), "creating a Vulkan instance");
  // Device functions come through the loader's dispatch, so that several devices work side by side.
  volkLoadInstance(handle_);
  if (validates) {
    check(vkCreateDebugUtilsMessengerEXT(handle_, &messenger, nullptr, &messenger_), "asking for validation messages");
  }
}

Instance::~Instance() {
  if (messenger_ != VK_NULL_HANDLE) vkDestroyDebugUtilsMessengerEXT(handle_, messenger_, nullptr);
  if (handle_ != VK_NULL_HANDLE) vkDestroyInstance(handle_, nullptr);
}

std::vector<Candidate> Instance::candidates() {
  std::uint32_t count = 0;
  check(vkEnumeratePhysicalDevices(handle_, &count, nullptr), "listing the Vulkan devices");
  std::vector<VkPhysicalDevice> devices(count);
  check(vkEnumeratePhysicalDevices(handle_, &count, devices.data()), "listing the Vulkan devices");
  std::vector<Candidate> result;
  for (VkPhysicalDevice device : devices) {
    result.push_back(inspect(device));
    result.back().instance = shared_from_this();
  }
  const auto rank = [](const Candidate& candidate) {
    if (!candidate.reason_against.empty()) return 2;
    return candidate.capabilities.is_cpu ? 1 : 0;
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
  return result;
}

void Instance::complain(std::string message) {
  const std::scoped_lock lock(mutex_);
  complaints_.push_back(std::move(message));
}

void Instance::throw_complaint() {
  const std::scoped_lock lock(mutex_);
  if (complaints_.empty()) return;
  const std::string first = complaints_.front();
  const std::size_t count = complaints_.size();
  complaints_.clear();
  fail("the Vulkan validation layer has {} complaint(s); the first: {}", count, first);
}

LogicalDevice::LogicalDevice(const Candidate& candidate)
    : instance_(candidate.instance), physical_(candidate.handle), queue_family_(candidate.queue_family) {
  const FeatureChain features(candidate.capabilities);
  const float priority = 1.0f;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = queue_family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = features.head();
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = static_cast<std::uint32_t>(features.extensions().size());
  info.ppEnabledExtensionNames = features.extensions().data();
  check(vkCreateDevice(physical_, &info, nullptr, &handle_), "opening " + candidate.capabilities.name);
  vkGetDeviceQueue(handle_, queue_family_, 0, &queue_);
}

LogicalDevice::~LogicalDevice() { vkDestroyDevice(handle_, nullptr); }

}  // namespace amphora::vulkan
