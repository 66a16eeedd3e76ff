#include "conformance/subject.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "backends/cpu/simd/targets.h"
#include "conformance/cpu_target.h"
#include "support/backends.h"

namespace amphora::conformance {
namespace {

using testing::TestedBackend;

Subject* current_subject = nullptr;
std::string chosen_backend;
std::string chosen_device;
std::optional<std::uint64_t> chosen_seed;

// Holds the others to its oracle, and is itself held to that for each instruction set.
constexpr std::string_view kReference = "cpu";

// The backends that compute and have a device here.
std::vector<TestedBackend> find_backends() {
  std::vector<TestedBackend> found;
  for (const TestedBackend& backend : testing::tested_backends()) {
    if (backend.row.computes && backend.status(backend.row).available) found.push_back(backend);
  }
  return found;
}

// Opens the chosen device of a backend, in one of its variants or, with null, as it comes.
std::function<std::shared_ptr<Device>()> opener(const TestedBackend& backend, const DeviceVariant* variant) {
  return [=] {
    DeviceOptions options{.device = chosen_device};
    if (variant != nullptr) variant->choose(options);
    return backend.open(backend.row, options);
  };
}

// The instruction sets that this processor has and these kernels are compiled for, the best one first.
std::vector<std::int64_t> find_targets() {
  std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  std::erase(targets, HWY_SSSE3);  // what Highway would generate by default, but not these kernels
  // Sanitizers look for what all targets share; a build without them runs each.
  if (AMPHORA_SANITIZED && targets.size() > 2) targets = {targets.front(), targets.back()};
  return targets;
}

std::vector<SubjectEntry> find_subjects() {
  std::vector<SubjectEntry> entries;
  for (const TestedBackend& backend : find_backends()) {
    const std::string name(backend.name);
    const std::string composed = name + "_composed";
    entries.push_back({composed, name, Part::fused_kernels, [=, open = opener(backend, nullptr)] {
                         return composed_subject(composed, backend.row.accuracy, open());
                       }});
    if (backend.name == kReference) {
      for (const std::int64_t target : find_targets()) {
        const std::string entry = name + '_' + hwy::TargetName(target);
        entries.push_back({entry, name, Part::everything, [=] { return cpu_target(entry, target); }});
      }
      continue;
    }
    const auto add = [&](const DeviceVariant* variant) {
      const std::string entry = name + std::string(variant == nullptr ? "" : variant->suffix);
      const Part part = variant == nullptr ? Part::everything : Part::products;
      entries.push_back({entry, name, part, [entry, &accuracy = backend.row.accuracy, open = opener(backend, variant)] {
                           return device_subject(entry, accuracy, open());
                         }});
    };
    add(nullptr);
    if (AMPHORA_SANITIZED) continue;  // a variant runs other kernels by the same code of the host
    for (const DeviceVariant& variant : backend.row.variants) add(&variant);
  }
  return entries;
}

std::vector<DecisionEntry> find_decisions() {
  std::vector<DecisionEntry> entries;
  for (const TestedBackend& backend : find_backends()) {
    const std::string name(backend.name);
    if (backend.name != kReference) entries.push_back({name, name, false, opener(backend, nullptr)});
    if (AMPHORA_SANITIZED && backend.name != kReference) continue;
    for (const DeviceVariant& variant : backend.row.variants) {
      entries.push_back({name + std::string(variant.suffix), name, true, opener(backend, &variant)});
    }
  }
  return entries;
}

bool is_chosen(const std::string& backend) { return chosen_backend.empty() || backend == chosen_backend; }

std::map<std::string, std::unique_ptr<Subject>>& opened_subjects() {
  static std::map<std::string, std::unique_ptr<Subject>> opened;
  return opened;
}

// Drivers and layers have statics of their own, so devices are closed before main() ends.
class CloseSubjects : public ::testing::Environment {
 public:
  void TearDown() override { opened_subjects().clear(); }
};
const ::testing::Environment* const kCloseSubjects = ::testing::AddGlobalTestEnvironment(new CloseSubjects);

std::uint64_t fresh_seed() {
  const char* fixed = std::getenv("AMPHORA_TEST_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device()();
}

}  // namespace

Subject& Subject::current() { return *current_subject; }

UseSubject::UseSubject(Subject& subject) : previous_(std::exchange(current_subject, &subject)) {}
UseSubject::~UseSubject() { current_subject = previous_; }

std::vector<const SubjectEntry*> subjects(Part part) {
  static const std::vector<SubjectEntry> all = find_subjects();
  std::vector<const SubjectEntry*> result;
  for (const SubjectEntry& entry : all) {
    if (is_chosen(entry.backend) && (entry.part == Part::everything || entry.part == part)) result.push_back(&entry);
  }
  return result;
}

std::vector<const DecisionEntry*> decisions() {
  static const std::vector<DecisionEntry> all = find_decisions();
  std::vector<const DecisionEntry*> result;
  for (const DecisionEntry& entry : all) {
    if (is_chosen(entry.backend)) result.push_back(&entry);
  }
  return result;
}

const SubjectEntry& main_subject_of(std::string_view backend) {
  for (const SubjectEntry* entry : subjects(Part::everything)) {
    if (entry->backend == backend) return *entry;
  }
  fail("no subject of backend '{}' runs all tests", backend);
}

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
