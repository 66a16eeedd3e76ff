// Tracked: a value on the host that decides what a training step does: whether a gradient is defined, whether a module
// trains.
//
// A step that is recorded is right only as long as such values are what they were when it asked for them, and a replay
// must leave them as the step left them. The recorder is told of both; without one, a Tracked is a plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace amphora::plan {

using TrackedCell = std::shared_ptr<std::int64_t>;

// Told to this thread's recorder, if there is one: a value that was made, one that is asked for, one that is about to
// change.
void note_birth(const TrackedCell& cell);
void note_read(const TrackedCell& cell);
void note_write(const TrackedCell& cell, std::int64_t value);

// T: bool, an integer or an enumeration. A copy is a value of its own.
template <class T>
class Tracked {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): it is initialised like the value
  Tracked(T value = T()) : cell_(std::make_shared<std::int64_t>(static_cast<std::int64_t>(value))) {
    note_birth(cell_);
  }
  Tracked(const Tracked& other) : Tracked(static_cast<T>(*other.cell_)) {}
  Tracked(Tracked&& other) noexcept = default;
  Tracked& operator=(const Tracked& other) {
    if (this != &other) *this = static_cast<T>(other);
    return *this;
  }
  Tracked& operator=(Tracked&& other) noexcept = default;
  ~Tracked() = default;

  operator T() const {  // NOLINT(google-explicit-constructor): reads like the value
    note_read(cell_);
    return static_cast<T>(*cell_);
  }
  // The value for one who overwrites it whatever it is, so that the step does not depend on it.
  T peek() const { return static_cast<T>(*cell_); }
  // Makes the step depend on the value where it need not be known.
  void depend() const { note_read(cell_); }
  Tracked& operator=(T value) {
    note_write(cell_, static_cast<std::int64_t>(value));
    *cell_ = static_cast<std::int64_t>(value);
    return *this;
  }

 private:
  TrackedCell cell_;
};

}  // namespace amphora::plan
