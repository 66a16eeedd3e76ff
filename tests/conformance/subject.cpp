#include "conformance/subject.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "backends/cpu/simd/targets.h"
#include "backends/registry.h"
#include "conformance/cpu_target.h"

namespace amphora::conformance {
namespace {

Subject* current_subject = nullptr;
std::string chosen_backend;
std::optional<std::uint64_t> chosen_seed;

const Accuracy& accuracy_of(std::string_view backend) {
  if (backend == "cpu") return kCpuAccuracy;
  return kVulkanAccuracy;
}

// The highest level that every backend of this kind has to reach is its own row in accuracy.h.
SubjectEntry device_entry(const std::string& backend, const std::string& suffix, const DeviceOptions& options) {
  const std::string name = backend + suffix;
  return {name, backend, !suffix.empty(),
          [=] { return device_subject(name, accuracy_of(backend), open_device(backend, options)); }};
}

std::vector<SubjectEntry> find_subjects() {
  std::vector<SubjectEntry> entries;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target == HWY_SSSE3) continue;  // what Highway would generate by default, but not these kernels
    const std::string name = std::string("cpu_") + hwy::TargetName(target);
    entries.push_back({name, "cpu", false, [=] { return cpu_target(name, target); }});
  }
  for (const BackendStatus& status : list_backends()) {
    if (!status.available || status.name == "cpu" || status.name == "null") continue;
    entries.push_back(device_entry(status.name, "", {}));
    if (status.name == "vulkan") entries.push_back(device_entry(status.name, "_fma", {.cooperative_matrix = false}));
  }
  return entries;
}

std::uint64_t fresh_seed() {
  const char* fixed = std::getenv("AMPHORA_TEST_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device()();
}

}  // namespace

Subject& Subject::current() { return *current_subject; }

UseSubject::UseSubject(Subject& subject) : previous_(std::exchange(current_subject, &subject)) {}
UseSubject::~UseSubject() { current_subject = previous_; }

const std::vector<SubjectEntry>& all_subjects() {
  static const std::vector<SubjectEntry> entries = find_subjects();
  return entries;
}

std::vector<const SubjectEntry*> subjects_of(std::string_view backend, bool for_products) {
  std::vector<const SubjectEntry*> result;
  for (const SubjectEntry& entry : all_subjects()) {
    if (!chosen_backend.empty() && entry.backend != chosen_backend) continue;
    if (entry.backend == backend && (for_products || !entry.products_only)) result.push_back(&entry);
  }
  return result;
}

const SubjectEntry& main_subject_of(std::string_view backend) { return *subjects_of(backend, false).front(); }

Subject& open_subject(const SubjectEntry& entry) {
  static std::map<std::string, std::unique_ptr<Subject>> opened;
  auto& subject = opened[entry.name];
  if (subject == nullptr) subject = entry.open();
  return *subject;
}

void choose_backend(std::string_view backend) { chosen_backend = backend; }

std::vector<std::string> chosen_backends() {
  std::vector<std::string> names;
  for (const SubjectEntry& entry : all_subjects()) {
    if (entry.backend == "cpu" || (!chosen_backend.empty() && entry.backend != chosen_backend)) continue;
    if (std::find(names.begin(), names.end(), entry.backend) == names.end()) names.push_back(entry.backend);
  }
  return names;
}

std::uint64_t run_seed() {
  if (!chosen_seed) chosen_seed = fresh_seed();
  return *chosen_seed;
}

void choose_seed(std::uint64_t seed) { chosen_seed = seed; }

}  // namespace amphora::conformance
