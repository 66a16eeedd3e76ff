// What a check knows of the machine: its backends from amphora-devices, its card from nvidia-smi.
#include "tools/gpu_check/machine.h"

#include <gtest/gtest.h>

#include "tools/gpu_check/steps.h"

namespace amphora::gpu_check {
namespace {

using io::Json;

Json devices() {
  return *Json::parse(R"({"backends": [
      {"name": "cuda", "available": true, "emulated": false, "detail": "NVIDIA H200", "precisions": ["f32", "f16"],
       "devices": [{"name": "NVIDIA K80", "reason_against": "too old", "facts": []},
                   {"name": "NVIDIA H200", "reason_against": "", "facts": [["driver", "580"], ["products", "f32"], ["", "f16"]]}]},
      {"name": "vulkan", "available": true, "emulated": true, "detail": "llvmpipe", "precisions": ["f32"],
       "devices": [{"name": "llvmpipe", "reason_against": "", "facts": []}]},
      {"name": "none", "available": false, "emulated": false, "detail": "no driver", "precisions": [],
       "devices": []}]})");
}

TEST(FindBackend, TakesTheDeviceThatIsOpened) {
  const Backend cuda = find_backend(devices(), "cuda", false);
  EXPECT_EQ(cuda.reason_against, "");
  EXPECT_EQ(cuda.device, "NVIDIA H200");
  EXPECT_EQ(cuda.precisions, (std::vector<std::string>{"f32", "f16"}));
  EXPECT_EQ(cuda.facts, (Facts{{"driver", "580"}, {"products", "f32; f16"}}));
}

TEST(FindBackend, CountsTheProcessorOnlyWhenAsked) {
  EXPECT_NE(find_backend(devices(), "vulkan", false).reason_against.find("processor"), std::string::npos);
  const Backend asked = find_backend(devices(), "vulkan", true);
  EXPECT_EQ(asked.reason_against, "");
  EXPECT_EQ(asked.device, "llvmpipe (emulated)");
}

TEST(FindBackend, KeepsTheReasonWhereThereIsNoDevice) {
  EXPECT_EQ(find_backend(devices(), "none", true).reason_against, "no driver");
  EXPECT_NE(find_backend(devices(), "opencl", true).reason_against, "");
}

TEST(Machine, IsNamedByTheFirstBackendThatHasADevice) {
  const Json found = devices();
  const std::vector<Backend> backends{find_backend(found, "none", false), find_backend(found, "cuda", false)};
  const Machine machine = describe(backends, "2026-11-24", "abc");
  EXPECT_EQ(machine.gpu, "NVIDIA H200");
  EXPECT_EQ(machine.facts[1], (std::pair<std::string, std::string>("cuda, driver", "580")));
  EXPECT_EQ(describe({backends.front()}, "", "").gpu, "no GPU");
}

TEST(Machine, ReadsNvidiaSmi) {
  const Facts facts = smi_facts("580.65.06, P0, 1980 MHz, 1980 MHz, 2619 MHz, 115.13 W, 700.00 W, 31, Disabled\n");
  ASSERT_EQ(facts.size(), 9u);
  EXPECT_EQ(facts[0], (std::pair<std::string, std::string>("nvidia-smi, driver_version", "580.65.06")));
  EXPECT_EQ(facts[8].second, "Disabled");
  EXPECT_TRUE(smi_facts("").empty());
}

TEST(Steps, AreAllUnsupportedWithTheBackendsReason) {
  const std::vector<Step> steps = steps_for({unknown_backend("cuda", "no driver"), unknown_backend("vulkan", "none")});
  for (const Step& step : steps) EXPECT_NE(step.reason_against, "") << step.name;
  const auto has = [&](const std::string& name) {
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) { return step.name == name; });
  };
  for (const char* name : {"conformance cuda", "training vulkan", "whole-runs cuda", "mlp cuda tf32", "mlp vulkan f16",
                           "ceilings cuda", "compute-sanitizer memcheck", "validation-layers vulkan"}) {
    EXPECT_TRUE(has(name)) << name;
  }
}

}  // namespace
}  // namespace amphora::gpu_check
