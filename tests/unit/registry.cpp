#include "backends/registry.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace amphora {
namespace {

std::string refusal(std::string_view backend) {
  try {
    open_device(backend);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Registry, ListsEveryBackendInTheOrderOfAuto) {
  std::vector<std::string> names;
  for (const BackendStatus& status : list_backends()) {
    names.push_back(status.name);
    EXPECT_FALSE(status.detail.empty()) << status.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"cuda", "vulkan", "cpu", "null"}));
}

TEST(Registry, TheDetailOfAnAvailableBackendIsItsDevice) {
  for (const BackendStatus& status : list_backends()) {
    if (status.available) {
      EXPECT_EQ(open_device(status.name)->info().name, status.detail);
    }
  }
}

TEST(Registry, AutoNeverChoosesNull) { EXPECT_NE(open_device("auto")->info().backend, "null"); }

TEST(Registry, OpensByName) {
  EXPECT_EQ(open_device("cpu")->info().backend, "cpu");
  EXPECT_EQ(open_device("null")->info().backend, "null");
}

TEST(Registry, RefusesAnUnknownBackendWithWhatThereIs) {
  const std::string message = refusal("metal");
  EXPECT_TRUE(message.starts_with("there is no backend 'metal'. Available: ")) << message;
  EXPECT_NE(message.find("cpu ("), std::string::npos) << message;
  EXPECT_NE(message.find("null (counts kernel calls, computes nothing)"), std::string::npos) << message;
}

TEST(Registry, RefusesAnUnavailableBackendWithTheReason) {
  for (const BackendStatus& status : list_backends()) {
    if (status.available) continue;
    const std::string message = refusal(status.name);
    EXPECT_TRUE(
        message.starts_with("backend '" + status.name + "' is not available: " + status.detail + ". Available: "))
        << message;
  }
}

}  // namespace
}  // namespace amphora
