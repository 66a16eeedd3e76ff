// The pointwise functions over blocks of f32, for the pointwise kernels and for epilogues.
#pragma once

#include <array>
#include <cstddef>

#include "amphora/kernel/call.h"

namespace amphora::cpu::simd {

using UnaryInputs = std::array<const float*, 3>;   // x, y, dy
using BinaryInputs = std::array<const float*, 3>;  // a, b, dy; forward leaves dy alone

// Where `out` is one of the inputs it may be overwritten in place.
struct UnaryBlocks {
  void (*forward)(const float* x, float* out, std::size_t count, float p0, float p1);
  void (*derivative)(const UnaryInputs& in, float* out, std::size_t count, float p0, float p1);  // times dy
};
struct BinaryBlocks {
  using Function = void (*)(const BinaryInputs& in, float* out, std::size_t count);
  Function forward;
  Function derivative[2];  // of a, of b; times dy
};

UnaryBlocks unary_blocks(UnaryFunction function);
BinaryBlocks binary_blocks(BinaryFunction function);

}  // namespace amphora::cpu::simd
