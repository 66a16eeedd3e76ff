// The tensors within a value, such as a batch or the arguments of a module, whatever holds them.
//
//   struct Tokens {
//     Tensor inputs;
//     Tensor targets;
//     auto tensors() { return std::tie(inputs, targets); }
//   };
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

// Whether each_tensor() knows how to look into a T.
template <class T>
inline constexpr bool kShowsTensors = std::is_same_v<T, Tensor> || std::is_arithmetic_v<T> || detail::HasTensors<T> ||
                                      detail::TupleLike<T> || detail::kIsOptional<T> || std::ranges::range<T>;

// Calls visit(Tensor&) for a tensor, and for each one in a tuple, pair, array, range or optional, or in a structure
// with a member `tensors()` that gives std::tie() of its own; in order, undefined tensors included; for replacing, too,
// where the value is not const. Numbers have none.
template <class T, class Visit>
void each_tensor(T& value, const Visit& visit) {
  using Plain = std::remove_const_t<T>;
  static_assert(kShowsTensors<Plain>, "give the type a member tensors() that gives std::tie() of its tensors");
  const auto each = [&visit](auto&... parts) { (each_tensor(parts, visit), ...); };
  if constexpr (std::is_same_v<Plain, Tensor>) {
    visit(value);
  } else if constexpr (detail::HasTensors<T>) {
    std::apply(each, value.tensors());
  } else if constexpr (detail::HasTensors<Plain>) {
    Plain handles = value;  // tensors() is not const; handles are cheap
    each_tensor(handles, visit);
  } else if constexpr (detail::TupleLike<Plain>) {
    std::apply(each, value);
  } else if constexpr (detail::kIsOptional<Plain>) {
    if (value) each_tensor(*value, visit);
  } else if constexpr (std::ranges::range<T>) {
    for (auto&& part : value) each_tensor(part, visit);
  }
}

}  // namespace amphora
