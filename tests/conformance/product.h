// A matrix product to be checked: its shape and specialisation, its arrays, and the bounds of its results.
#pragma once

#include "conformance/harness.h"

namespace amphora::conformance {

struct Product {
  int m, n, k;
  int batch = 1;
  bool transpose_a = false, transpose_b = false;
  DType a = DType::f32, b = DType::f32, c = DType::f32, bias = DType::f32;
  bool has_bias = false, has_aux = false, derivative = false;
  bool bias_gradient = false, adds_bias_gradient = false;
  bool tf32 = false;
  Activation activation = Activation::none;
  float alpha = 1.0f, beta = 0.0f;
  int padding = 0;  // of every leading dimension
};

struct Problem {
  Spec spec;
  MatmulParams params;
  Arrays arrays;
};

// Arrays of random numbers; where beta is 0, c holds NaN, which must not be read. With `integers`, a and b hold whole
// numbers so small that every partial sum is exact.
Problem prepare(Random& random, const Product& product, bool integers = false);

// Expects the subject's results to stay within the error that f32 accumulation in any order allows.
void expect_in_bounds(Random& random, const Product& product);
// Expects the oracle's bits, given whole numbers.
void expect_exact(Random& random, const Product& product);

}  // namespace amphora::conformance
