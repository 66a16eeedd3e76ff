// A run's state kept in the host's memory, and given back.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "amphora/tensor/state.h"
#include "support/cpu_test.h"

namespace amphora::testing {

struct SavedState {
  std::map<std::string, Values> tensors;
  std::map<std::string, double> numbers;  // integers too
  bool operator==(const SavedState&) const = default;
};

class StateWriter : public StateVisitor {
 public:
  bool restores() const override { return false; }
  SavedState saved;

 private:
  void do_tensor(const std::string& path, const Tensor& value) override {
    require(saved.tensors.emplace(path, value.to_doubles()).second, "the tensor '{}' was shown twice", path);
  }
  void do_number(const std::string& path, double& value) override {
    require(saved.numbers.emplace(path, value).second, "the number '{}' was shown twice", path);
  }
  void do_integer(const std::string& path, std::int64_t& value) override {
    auto number = static_cast<double>(value);
    do_number(path, number);
  }
};

class StateReader : public StateVisitor {
 public:
  enum class Missing { is_an_error, stays };

  explicit StateReader(SavedState saved, Missing missing = Missing::is_an_error)
      : saved_(std::move(saved)), missing_(missing) {}
  bool restores() const override { return true; }

 private:
  template <class Entries>
  const typename Entries::mapped_type* find(const Entries& entries, const std::string& path) const {
    const auto found = entries.find(path);
    require(found != entries.end() || missing_ == Missing::stays, "the entry '{}' is missing", path);
    return found == entries.end() ? nullptr : &found->second;
  }
  void do_tensor(const std::string& path, const Tensor& value) override {
    if (const Values* kept = find(saved_.tensors, path)) value.assign(std::vector<float>(kept->begin(), kept->end()));
  }
  void do_number(const std::string& path, double& value) override {
    if (const double* kept = find(saved_.numbers, path)) value = *kept;
  }
  void do_integer(const std::string& path, std::int64_t& value) override {
    if (const double* kept = find(saved_.numbers, path)) value = static_cast<std::int64_t>(*kept);
  }

  SavedState saved_;
  Missing missing_;
};

template <class Stateful>
SavedState saved(Stateful& stateful) {
  StateWriter writer;
  stateful.visit_state(writer);
  return writer.saved;
}

template <class Stateful>
void restore(Stateful& stateful, const SavedState& state,
             StateReader::Missing missing = StateReader::Missing::is_an_error) {
  StateReader reader(state, missing);
  stateful.visit_state(reader);
}

}  // namespace amphora::testing
