#include <string>

#include "amphora/core/error.h"
#include "backends/vulkan/backend.h"
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/logical_device.h"
#include "backends/vulkan/select.h"
#include "backends/vulkan/self_test.h"

namespace amphora::vulkan {
namespace {

std::string str(const MatrixShape& shape) {
  return fmt::format("{}x{}x{} {}", shape.m, shape.n, shape.k, name_of(shape.operand));
}

std::string listed(const std::vector<MatrixShape>& shapes) {
  std::string text;
  for (const MatrixShape& shape : shapes) text += (text.empty() ? "" : ", ") + str(shape);
  return text.empty() ? "none" : text;
}

std::string path_of(DType operand, const Capabilities& capabilities) {
  return matmul_path(Spec{.types = {operand, operand, DType::f32, DType::f32}}, capabilities);
}

DeviceReport report_of(Candidate candidate) {
  Capabilities& c = candidate.capabilities;
  DeviceReport result{c.name, candidate.reason_against, {}};
  const auto add = [&result](const char* name, std::string value) {
    result.facts.emplace_back(name, std::move(value));
  };
  add("driver", fmt::format("{}, Vulkan {}.{}.{}", c.driver, VK_API_VERSION_MAJOR(c.api_version),
                            VK_API_VERSION_MINOR(c.api_version), VK_API_VERSION_PATCH(c.api_version)));
  add("memory", fmt::format("{:.1f} GiB, {:.1f} GiB in one piece", static_cast<double>(c.memory_bytes) / 0x1p30,
                            static_cast<double>(c.max_allocation) / 0x1p30));
  add("workgroup", fmt::format("{} invocations, {} KiB shared memory, subgroups of {}", c.max_invocations,
                               c.shared_memory / 1024, c.subgroup_size));
  add("matrix shapes", listed(c.matrix_shapes));
  if (!candidate.reason_against.empty()) return result;
  restrict_to({}, c);
  apply_self_test(candidate);
  add("types", "f32 f16 bf16");
  for (const DType operand : {DType::f32, DType::f16, DType::bf16}) {
    add(operand == DType::f32 ? "products" : "", fmt::format("{}: {}", name_of(operand), path_of(operand, c)));
  }
  for (const std::string& reason : c.unused) add(&reason == &c.unused.front() ? "not used" : "", reason);
  return result;
}

}  // namespace

std::vector<DeviceReport> devices() {
  std::vector<DeviceReport> result;
  for (const Candidate& candidate : Instance::get()->candidates()) result.push_back(report_of(candidate));
  return result;
}

}  // namespace amphora::vulkan
