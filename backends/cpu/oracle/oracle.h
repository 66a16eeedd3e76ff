// What the oracle's families share: typed arrays behind one interface, and the walk over a strided index space.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "amphora/core/dtype.h"
#include "amphora/kernel/call.h"
#include "backends/cpu/kernels.h"

namespace amphora::cpu::oracle {

// One function a kernel, named like its row; a row without a function is an error at link time.
#define AMPHORA_KERNEL(id, params, functions, operands) void id(const KernelCall& call, Threads& threads);
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL

// A buffer of a call as an array of doubles: reading is exact, writing rounds once to the buffer's element type.
class Array {
 public:
  Array(const KernelCall& call, int index) : Array(call, index, call.spec.types[static_cast<std::size_t>(index)]) {}
  // For buffers past the fourth, whose type the vocabulary ties to another's.
  Array(const KernelCall& call, int index, DType type) : data_(data_of(call, index)), type_(type) {
    visit_dtype(type, [this]<class T>() {
      load_ = [](const void* data, std::int64_t i) -> double { return load_element(static_cast<const T*>(data)[i]); };
      store_ = [](void* data, std::int64_t i, double value) { static_cast<T*>(data)[i] = round_element<T>(value); };
    });
  }

  // False for an optional buffer that is absent.
  explicit operator bool() const { return data_ != nullptr; }
  DType type() const { return type_; }
  void* data() const { return data_; }

  double operator[](std::int64_t i) const { return load_(data_, i); }
  void set(std::int64_t i, double value) const { store_(data_, i, value); }

 private:
  void* data_;
  DType type_;
  double (*load_)(const void*, std::int64_t) = nullptr;
  void (*store_)(void*, std::int64_t, double) = nullptr;
};

using Extents = std::int32_t[5];  // sizes or strides as parameter structures hold them

// Calls body(n, offsets) for every index of a space, last axis fastest; offsets[k] is the index times strides[k].
template <std::size_t kArrays, class Body>
void for_each_index(int rank, const Extents& sizes, const std::array<const std::int32_t*, kArrays>& strides,
                    Body body) {
  std::int64_t count = 1;
  for (int axis = 0; axis < rank; ++axis) count *= sizes[axis];
  std::array<std::int32_t, 5> index{};
  std::array<std::int64_t, kArrays> offsets{};
  for (std::int64_t n = 0; n < count; ++n) {
    body(n, offsets);
    for (int axis = rank - 1; axis >= 0; --axis) {
      auto& position = index[static_cast<std::size_t>(axis)];
      const std::int64_t move = ++position < sizes[axis] ? 1 : 1 - sizes[axis];
      for (std::size_t k = 0; k < kArrays; ++k) offsets[k] += move * strides[k][axis];
      if (move == 1) break;
      position = 0;
    }
  }
}

// The pointwise table in f64.
double apply(UnaryFunction function, double x, double p0 = 0.0, double p1 = 0.0);
// The derivative at x, where the function's value is y.
double slope(UnaryFunction function, double x, double y, double p0 = 0.0, double p1 = 0.0);

}  // namespace amphora::cpu::oracle
