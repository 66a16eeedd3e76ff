#include "amphora/device/registry.h"

#include <gtest/gtest.h>

#include "amphora/core/error.h"

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
  for (const Backend& backend : backends()) {
    const BackendStatus status = status_of(backend);
    names.emplace_back(backend.name);
    EXPECT_FALSE(status.detail.empty()) << backend.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"cuda", "vulkan", "cpu", "null"}));
}

TEST(Registry, TheDetailOfAnAvailableBackendIsItsDevice) {
  for (const Backend& backend : backends()) {
    const BackendStatus status = status_of(backend);
    if (status.available) {
      EXPECT_EQ(open_device(backend.name)->info().name, status.detail);
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
  for (const Backend& backend : backends()) {
    const BackendStatus status = status_of(backend);
    if (status.available) continue;
    const std::string message = refusal(backend.name);
    EXPECT_TRUE(
        message.starts_with(fmt::format("backend '{}' is not available: {}. Available: ", backend.name, status.detail)))
        << message;
  }
}

}  // namespace
}  // namespace amphora
