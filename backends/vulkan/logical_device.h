// The Vulkan instance, and a device opened for compute.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/vulkan/capabilities.h"
#include "backends/vulkan/vulkan.h"

namespace amphora::vulkan {

// One a process, shared by all devices. AMPHORA_VULKAN_VALIDATION=1 puts the validation layer in between,
// synchronization validation included, and keeps its complaints.
class Instance : public std::enable_shared_from_this<Instance> {
 public:
  // Throws Error that says what is missing: the loader, Vulkan 1.3, the validation layer that was asked for.
  static std::shared_ptr<Instance> get();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  ~Instance();

  VkInstance handle() const { return handle_; }
  // Usable GPUs before usable CPUs before the rest; otherwise in the loader's order.
  std::vector<Candidate> candidates();

  // Throws Error with the first complaint of the validation layer since the last call.
  void throw_complaint();
  // For the layer's callback.
  void complain(std::string message);

 private:
  Instance();

  VkInstance handle_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  std::mutex mutex_;
  std::vector<std::string> complaints_;
};

// A VkDevice with one compute queue. Shared by all that hold device memory, so that it goes last.
class LogicalDevice {
 public:
  explicit LogicalDevice(const Candidate& candidate);
  LogicalDevice(const LogicalDevice&) = delete;
  LogicalDevice& operator=(const LogicalDevice&) = delete;
  ~LogicalDevice();

  Instance& instance() const { return *instance_; }
  VkPhysicalDevice physical() const { return physical_; }
  VkDevice handle() const { return handle_; }
  VkQueue queue() const { return queue_; }
  std::uint32_t queue_family() const { return queue_family_; }

 private:
  std::shared_ptr<Instance> instance_;
  VkPhysicalDevice physical_;
  VkDevice handle_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  std::uint32_t queue_family_;
};

}  // namespace amphora::vulkan
