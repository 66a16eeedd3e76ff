// The tensors within a value, whatever holds them.
#pragma once

#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>

#include "amphora/tensor/tensor.h"

namespace amphora {

namespace detail {

template <class T>
concept HasTensors = requires(T value) {
  value.tensors();
};
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};
template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

}  // namespace detail

// Whether for_each_tensor() knows how to look into a T.
template <class T>
inline constexpr bool kShowsTensors = std::is_same_v<T, Tensor> || std::is_arithmetic_v<T> || detail::HasTensors<T> ||
                                      detail::TupleLike<T> || detail::kIsOptional<T> || std::ranges::range<T>;

// Calls visit(Tensor&) for a tensor, and for each one in a tuple, pair, array, range or optional, or in a struct with a
// member `auto tensors() { return std::tie(h, c); }`; in order, undefined tensors included. Other values have none.
template <class T, class Visit>
void for_each_tensor(T& value, const Visit& visit) {
  const auto each = [&visit](auto&... parts) { (for_each_tensor(parts, visit), ...); };
  if constexpr (std::is_same_v<T, Tensor>) {
    visit(value);
  } else if constexpr (detail::HasTensors<T>) {
    std::apply(each, value.tensors());
  } else if constexpr (detail::TupleLike<T>) {
    std::apply(each, value);
  } else if constexpr (detail::kIsOptional<T>) {
    if (value) for_each_tensor(*value, visit);
  } else if constexpr (std::ranges::range<T>) {
    for (auto&& part : value) for_each_tensor(part, visit);
  }
}

}  // namespace amphora
