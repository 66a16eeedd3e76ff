// How the tensors of a batch are found, whatever type it has.
//
//   struct Tokens {
//     Tensor inputs;
//     Tensor targets;
//     auto tensors() { return std::tie(inputs, targets); }
//   };
#pragma once

#include <ranges>
#include <tuple>
#include <type_traits>

#include "amphora/tensor/tensor.h"

namespace amphora {

// Shows each tensor of `batch` to `visit`, in order; for replacing, too, where the batch is not const. A batch is a
// tensor, a range of batches, or anything with a member `tensors()` that gives a tuple of references to these.
template <class Batch, class Visit>
void each_tensor(Batch& batch, Visit&& visit) {
  if constexpr (std::is_same_v<std::remove_const_t<Batch>, Tensor>) {
    visit(batch);
  } else if constexpr (std::ranges::range<Batch>) {
    for (auto& part : batch) each_tensor(part, visit);
  } else if constexpr (requires { batch.tensors(); }) {
    std::apply([&visit](auto&... parts) { (each_tensor(parts, visit), ...); }, batch.tensors());
  } else {
    static_assert(std::is_const_v<Batch>, "a batch needs a member tensors() that gives std::tie() of its tensors");
    std::remove_const_t<Batch> handles = batch;  // tensors() is not const; handles are cheap
    each_tensor(handles, visit);
  }
}

}  // namespace amphora
