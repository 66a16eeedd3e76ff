#include "conformance/subject.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "amphora/device/registry.h"
#include "backends/cpu/simd/targets.h"
#include "backends/cuda/loader.h"
#include "conformance/cpu_target.h"

namespace amphora::conformance {
namespace {

Subject* current_subject = nullptr;
std::string chosen_backend;
std::string chosen_device;
std::optional<std::uint64_t> chosen_seed;

const Accuracy& accuracy_of(std::string_view backend) {
  return backend_named(backend == kEmulatedCuda ? "cuda" : backend).accuracy;
}

// The devices that backends other than the cpu open here, each with what its name ends on beside the backend's.
struct DeviceVariant {
  std::string backend;
  std::string suffix;
  std::function<std::shared_ptr<Device>()> open;
};

std::vector<DeviceVariant> find_devices() {
  std::vector<DeviceVariant> devices;
  const auto add = [&devices](const std::string& backend, const char* suffix, const DeviceOptions& options) {
    devices.push_back({backend, suffix, [=] { return open_device(backend, options); }});
  };
  for (const Backend& backend : backends()) {
    const BackendStatus status = status_of(backend);
    if (!status.available || backend.name == "cpu" || !backend.computes) continue;
    add(std::string(backend.name), "", {.device = chosen_device});
    if (backend.name == "vulkan")
      add(std::string(backend.name), "_fma", {.device = chosen_device, .cooperative_matrix = false});
  }
#ifdef AMPHORA_CUDA_EMULATED_MODULE
  devices.push_back({kEmulatedCuda, "", [] { return cuda::load_module(AMPHORA_CUDA_EMULATED_MODULE).open({}); }});
#endif
  return devices;
}

std::vector<SubjectEntry> find_subjects() {
  std::vector<SubjectEntry> entries;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target == HWY_SSSE3) continue;  // what Highway would generate by default, but not these kernels
    const std::string name = std::string("cpu_") + hwy::TargetName(target);
    entries.push_back({name, "cpu", false, [=] { return cpu_target(name, target); }});
  }
  for (const DeviceVariant& d : find_devices()) {
    const std::string name = d.backend + d.suffix;
    entries.push_back(
        {name, d.backend, !d.suffix.empty(), [=] { return device_subject(name, accuracy_of(d.backend), d.open()); }});
  }
  return entries;
}

std::vector<DecisionEntry> find_decisions() {
  std::vector<DecisionEntry> entries{
      {"cpu_oracle", "cpu", [] { return open_device("cpu", {.threads = 1, .cpu_oracle = true}); }}};
  for (const DeviceVariant& d : find_devices()) {
    entries.push_back({d.backend + d.suffix, d.backend, d.open});
  }
  return entries;
}

bool is_chosen(const std::string& backend) { return chosen_backend.empty() || backend == chosen_backend; }

std::map<std::string, std::unique_ptr<Subject>>& opened_subjects() {
  static std::map<std::string, std::unique_ptr<Subject>> opened;
  return opened;
}

// Drivers and layers have statics of their own, so devices are closed before main() ends.
class CloseSubjects : public testing::Environment {
 public:
  void TearDown() override { opened_subjects().clear(); }
};
const testing::Environment* const kCloseSubjects = testing::AddGlobalTestEnvironment(new CloseSubjects);

std::uint64_t fresh_seed() {
  const char* fixed = std::getenv("AMPHORA_TEST_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device()();
}

}  // namespace

Subject& Subject::current() { return *current_subject; }

UseSubject::UseSubject(Subject& subject) : previous_(std::exchange(current_subject, &subject)) {}
UseSubject::~UseSubject() { current_subject = previous_; }

std::vector<const SubjectEntry*> subjects_of(std::string_view backend, bool for_products) {
  static const std::vector<SubjectEntry> all = find_subjects();
  std::vector<const SubjectEntry*> result;
  for (const SubjectEntry& entry : all) {
    if (!is_chosen(entry.backend) || entry.backend != backend) continue;
    if (for_products || !entry.products_only) result.push_back(&entry);
  }
  return result;
}

std::vector<const DecisionEntry*> decisions_of(std::string_view backend) {
  static const std::vector<DecisionEntry> all = find_decisions();
  std::vector<const DecisionEntry*> result;
  for (const DecisionEntry& entry : all) {
    if (is_chosen(entry.backend) && entry.backend == backend) result.push_back(&entry);
  }
  return result;
}

const SubjectEntry& main_subject_of(std::string_view backend) { return *subjects_of(backend, false).front(); }

Subject& open_subject(const SubjectEntry& entry) {
  auto& subject = opened_subjects()[entry.name];
  if (subject == nullptr) subject = entry.open();
  return *subject;
}

void choose_backend(std::string_view backend, std::string_view device) {
  chosen_backend = backend;
  chosen_device = device;
}

std::uint64_t run_seed() {
  if (!chosen_seed) chosen_seed = fresh_seed();
  return *chosen_seed;
}

void choose_seed(std::uint64_t seed) { chosen_seed = seed; }

}  // namespace amphora::conformance
