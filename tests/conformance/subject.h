// A subject: what the tests hold to the oracle. Each instruction set of the cpu backend is one, and so is every device
// that another backend opens on this machine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "amphora/device/backend.h"
#include "amphora/device/device.h"
#include "conformance/array.h"

namespace amphora::conformance {

class Subject {
 public:
  Subject(std::string name, const Accuracy& accuracy) : name_(std::move(name)), accuracy_(accuracy) {}
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  virtual ~Subject() = default;

  const std::string& name() const { return name_; }
  const Accuracy& accuracy() const { return accuracy_; }
  // True where each mix of types and functions has to be compiled first, which takes long: tests then draw some mixes,
  // others in every run, instead of taking all.
  virtual bool compiles() const = 0;
  virtual Support supports(KernelId kernel, const Spec& spec) = 0;
  // Runs a call, given without buffers, on `arrays` in place, whatever it does to their guards.
  virtual void launch(const KernelCall& call, std::vector<Array>& arrays, int threads) = 0;

  // The subject that calls go to now.
  static Subject& current();

 private:
  friend class UseSubject;
  std::string name_;
  Accuracy accuracy_;
};

// Sends calls to a subject while it lives.
class UseSubject {
 public:
  explicit UseSubject(Subject& subject);
  UseSubject(const UseSubject&) = delete;
  UseSubject& operator=(const UseSubject&) = delete;
  ~UseSubject();

 private:
  Subject* previous_;
};

inline const Accuracy& accuracy() { return Subject::current().accuracy(); }

// A device behind the interface of all backends. Each call's arrays lie in one buffer, at offsets that are no multiples
// of more than the element's size.
std::unique_ptr<Subject> device_subject(std::string name, const Accuracy& accuracy, std::shared_ptr<Device> device);
// What the device makes of fused kernels by their decompositions.
std::unique_ptr<Subject> composed_subject(std::string name, const Accuracy& accuracy, std::shared_ptr<Device> device);

// The tests that a subject runs, and the subjects that run a test: those of everything, and those of its own part.
enum class Part { everything, products, fused_kernels };

// A subject by name, opened when it is first needed.
struct SubjectEntry {
  std::string name;              // "cpu_AVX2", "vulkan_fma"
  std::string backend;           // of testing::tested_backends(): "cpu", "vulkan"
  Part part = Part::everything;  // another's code runs the rest
  std::function<std::unique_ptr<Subject>()> open;
};
std::vector<const SubjectEntry*> subjects(Part part);
// The one that runs all tests.
const SubjectEntry& main_subject_of(std::string_view backend);
// Opened once, kept until the program ends.
Subject& open_subject(const SubjectEntry& entry);

// A device whose decisions are compared with the cpu backend's: every other one, and the cpu's own scalar kernels.
struct DecisionEntry {
  std::string name;
  std::string backend;
  bool is_variant = false;  // of another entry, or of the cpu backend as it comes
  std::function<std::shared_ptr<Device>()> open;
};
std::vector<const DecisionEntry*> decisions();

// Leaves out every backend but this one (empty: none), and opens that device of it. Before any test is registered.
void choose_backend(std::string_view backend, std::string_view device);

// The seed of all random numbers of this run: fresh, or AMPHORA_TEST_SEED.
std::uint64_t run_seed();
void choose_seed(std::uint64_t seed);

}  // namespace amphora::conformance
