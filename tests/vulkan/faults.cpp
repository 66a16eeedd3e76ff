// Whatever is wrong gives one clear message, and a device that goes on where it can.
#include "amphora/core/error.h"
#include "backends/vulkan/check.h"
#include "backends/vulkan/environment.h"
#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

using ::amphora::testing::message_of;

TEST_F(VulkanTest, AWrongDeviceIsRefusedWithThoseThatThereAre) {
  for (const char* wish : {"no such card", "99", "-1", "0x"}) {
    const std::string message = message_of([&] { open_vulkan({.device = wish}); });
    EXPECT_NE(message.find(fmt::format("no Vulkan device is called '{}'", wish)), std::string::npos) << message;
    EXPECT_NE(message.find("0: " + open_vulkan()->info().name), std::string::npos) << message;
  }
}

TEST_F(VulkanTest, ADeviceIsFoundByIndexAndByPartOfItsNameInAnyCase) {
  const std::string name = open_vulkan()->info().name;
  std::string part = name.substr(0, 4);
  for (char& c : part) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(open_vulkan({.device = "0"})->info().name, name);
  EXPECT_EQ(open_vulkan({.device = part})->info().name, name);
}

TEST_F(VulkanTest, TooMuchMemoryIsRefusedWithFiguresAndTheDeviceGoesOn) {
  const auto device = open_vulkan();
  const std::string message = message_of([&] { device->allocate(std::size_t{1} << 60, MemoryKind::activations); });
  EXPECT_NE(message.find("out of memory on vulkan"), std::string::npos) << message;
  EXPECT_NE(message.find("asked for activations"), std::string::npos) << message;
  EXPECT_NE(message.find("in use"), std::string::npos) << message;
  EXPECT_THROW(device->allocate(std::size_t{1} << 60, MemoryKind::activations), OutOfMemory);
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  launch_affine(x, x, 2.0f, 0.0f);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 2.0f);
}

TEST(VulkanCheck, SaysWhatWasAskedAndWhatToDo) {
  EXPECT_EQ(message_of([] { check(VK_SUCCESS, "x"); }), "");
  const std::string lost = message_of([] { check(VK_ERROR_DEVICE_LOST, "submitting 3 commands"); });
  EXPECT_NE(lost.find("lost the device while submitting 3 commands"), std::string::npos) << lost;
  EXPECT_THROW(check(VK_ERROR_OUT_OF_DEVICE_MEMORY, "x"), OutOfMemory);
  EXPECT_THROW(check(VK_ERROR_OUT_OF_HOST_MEMORY, "x"), OutOfMemory);
  const std::string other = message_of([] { check(VK_ERROR_FEATURE_NOT_PRESENT, "opening it"); });
  EXPECT_NE(other.find("opening it: VK_ERROR_FEATURE_NOT_PRESENT"), std::string::npos) << other;
}

TEST(VulkanEnvironment, TakesZeroOneAndNothingElse) {
  const Variable validation("AMPHORA_VULKAN_VALIDATION", "0");
  {
    const Variable off("AMPHORA_VULKAN_COOPMAT", "0");
    EXPECT_FALSE(environment().cooperative_matrix);
  }
  {
    const Variable on("AMPHORA_VULKAN_BF16", "1");
    EXPECT_TRUE(environment().bfloat16);
  }
  const Variable wrong("AMPHORA_VULKAN_COOPMAT", "off");
  EXPECT_EQ(message_of([] { environment(); }), "AMPHORA_VULKAN_COOPMAT is 'off'; it must be 0 or 1");
}

TEST(VulkanInstance, WithoutADriverTheBackendSaysWhatToInstall) {
  const Variable none("VK_DRIVER_FILES", "/no/such/driver.json");
  const Variable older("VK_ICD_FILENAMES", "/no/such/driver.json");
  const BackendStatus found = status();
  EXPECT_FALSE(found.available);
  EXPECT_NE(found.detail.find("install"), std::string::npos) << found.detail;
  const std::string message = message_of([] { open_device("vulkan"); });
  EXPECT_NE(message.find("backend 'vulkan' is not available"), std::string::npos) << message;
}

TEST_F(VulkanTest, ComplaintsOfTheValidationLayerAreErrors) {
  const auto device = open_vulkan();
  const auto instance = Instance::get();
  instance->complain("a hazard");
  instance->complain("another");
  const std::string message = message_of([&] { device->wait(); });
  EXPECT_EQ(message, "the Vulkan validation layer has 2 complaint(s); the first: a hazard");
  device->wait();
}

TEST_F(VulkanTest, CooperativeMatricesCanBeSwitchedOff) {
  const Variable off("AMPHORA_VULKAN_COOPMAT", "0");
  const auto device = open_vulkan();
  EXPECT_TRUE(device->capabilities().matrix_shapes.empty());
  const Spec spec{.types = {DType::f16, DType::f16, DType::f32, DType::f32}};
  EXPECT_EQ(device->supports(KernelId::matmul, spec).path.find("cooperative"), std::string::npos);
}

}  // namespace
}  // namespace amphora::vulkan
