// What identifies a product: everything that the choice of an algorithm may depend on, and no address.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "amphora/kernel/call.h"
#include "backends/cuda/capabilities.h"

namespace amphora::cuda {

struct Problem {
  explicit Problem(const KernelCall& call);

  MatmulParams shape;  // alpha is 1, and beta is 0, 1 or 2 for any other number
  DType operand = DType::f32;
  DType result = DType::f32;
  DType bias_type = DType::f32;
  bool transpose_a = false;
  bool transpose_b = false;
  bool tf32 = false;  // and operands are f32
  Activation activation = Activation::none;
  bool has_bias = false;
  bool has_aux = false;
  bool derivative = false;
  bool bias_gradient = false;
  bool adds_bias_gradient = false;
  // Bytes that divide the addresses of a, b, c, bias, aux, bias_gradient: a power of two up to 16, or 256, which is a
  // block's begin.
  std::array<std::uint16_t, 6> alignment{};

  bool operator==(const Problem& other) const;
  // Whether anything but alpha and beta happens to the sums.
  bool has_epilogue() const;
  // On one line, without spaces: the name of the problem in the file of choices.
  std::string str() const;
};

struct HashProblem {
  std::size_t operator()(const Problem& problem) const;
};

// Whether cuBLASLt multiplies these types on this device.
bool multiplies(const Spec& spec, const Capabilities& capabilities);

}  // namespace amphora::cuda
