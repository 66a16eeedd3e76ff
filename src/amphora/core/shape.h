// Shapes, strides and the index arithmetic that every op shares.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace amphora {

inline constexpr int kMaxRank = 5;
inline constexpr std::int64_t kMaxCount = std::int64_t{1} << 59;  // so that 64 bits count the bytes, too

// The extents of a tensor, outermost first; rank 0 is a scalar with one element.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  // Throws Error if the rank exceeds kMaxRank or an extent is negative.
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  // Negative axes count from the end. Throws Error when out of range.
  std::int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(normalize(axis))]; }
  // Throws Error where there are more than kMaxCount.
  std::int64_t count() const;
  int normalize(int axis) const;
  Shape with(int axis, std::int64_t size) const;
  Shape without(int axis) const;
  std::string str() const;  // "[128, 784]"

  bool operator==(const Shape&) const = default;

 private:
  int rank_ = 0;
  std::array<std::int64_t, kMaxRank> sizes_{};
};

using Strides = std::array<std::int64_t, kMaxRank>;  // in elements; entries past the rank are 0

Strides contiguous_strides(const Shape& shape);

// NumPy's broadcasting rule. Throws Error when the shapes don't fit.
Shape broadcast_shapes(const Shape& a, const Shape& b);

// Strides that read a tensor of `shape` and `strides` as if it had shape `target`: repeated axes get stride 0.
Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& target);

}  // namespace amphora

// A message takes a shape as it is: its text is made where the message is.
template <>
struct fmt::formatter<amphora::Shape> : fmt::formatter<std::string_view> {
  fmt::format_context::iterator format(const amphora::Shape& shape, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(shape.str(), context);
  }
};
