// InputRange: a range that is walked once, over what a function gives until it gives nothing.
//
//   for (const Batch& batch : InputRange([&]() -> std::optional<Batch> { ... })) ...
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

namespace amphora {

// `Next` is called without arguments and returns a std::optional.
template <class Next>
class InputRange {
 public:
  using Value = typename std::invoke_result_t<Next&>::value_type;

  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Value;
    explicit Iterator(InputRange& range) : range_(&range) {}
    const Value& operator*() const { return *range_->current_; }
    const Value* operator->() const { return &*range_->current_; }
    Iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { range_->advance(); }
    bool operator==(std::default_sentinel_t) const { return !range_->current_; }

   private:
    InputRange* range_;
  };

  explicit InputRange(Next next) : next_(std::move(next)) {}

  // One after the other, without an iterator; nothing past the last one.
  std::optional<Value> next() { return next_(); }

  Iterator begin() {
    advance();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  // The value before lives until the next one is there.
  void advance() { current_ = next_(); }

  Next next_;
  std::optional<Value> current_;
};

}  // namespace amphora
