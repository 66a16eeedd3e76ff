#include "amphora/core/shape.h"

#include <algorithm>

#include <fmt/ranges.h>

#include "amphora/core/error.h"

namespace amphora {

Shape::Shape(std::span<const std::int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
  require(sizes.size() <= kMaxRank, "a tensor has at most {} axes, but {} were given", kMaxRank, sizes.size());
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  for (std::int64_t size : sizes) require(size >= 0, "shape {} has a negative extent", *this);
}

std::int64_t Shape::count() const {
  std::int64_t product = 1;
  bool fits = true;
  for (int axis = 0; axis < rank_; ++axis) {
    const std::int64_t size = sizes_[static_cast<std::size_t>(axis)];
    if (size == 0) return 0;
    fits = fits && product <= kMaxCount / size;
    if (fits) product *= size;
  }
  require(fits, "shape {} has more than {} elements", *this, kMaxCount);
  return product;
}

int Shape::normalize(int axis) const {
  const int from_start = axis < 0 ? axis + rank_ : axis;
  require(from_start >= 0 && from_start < rank_, "axis {} is out of range for shape {}", axis, *this);
  return from_start;
}

Shape Shape::with(int axis, std::int64_t size) const {
  Shape result = *this;
  result.sizes_[static_cast<std::size_t>(normalize(axis))] = size;
  return result;
}

Shape Shape::without(int axis) const {
  Shape result;
  const int removed = normalize(axis);
  for (int i = 0; i < rank_; ++i) {
    if (i != removed) result.sizes_[static_cast<std::size_t>(result.rank_++)] = (*this)[i];
  }
  return result;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(sizes_.begin(), sizes_.begin() + rank_, ", ")); }

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = step;
    step *= shape[axis];
  }
  return strides;
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, kMaxRank> sizes{};
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t x = i <= a.rank() ? a[-i] : 1;
    const std::int64_t y = i <= b.rank() ? b[-i] : 1;
    require(x == y || x == 1 || y == 1, "shapes {} and {} do not broadcast: axis {} from the end has {} and {}", a, b,
            i, x, y);
    sizes[static_cast<std::size_t>(rank - i)] = x == 1 ? y : x;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
}

Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& target) {
  Strides result{};
  for (int i = 1; i <= shape.rank(); ++i) {
    const auto from = static_cast<std::size_t>(shape.rank() - i);
    const bool repeated = shape[-i] == 1 && target[-i] != 1;
    result[static_cast<std::size_t>(target.rank() - i)] = repeated ? 0 : strides[from];
  }
  return result;
}

}  // namespace amphora
