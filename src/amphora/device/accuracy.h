// What a backend's f32 arithmetic may do: the figures from which conformance derives all its bounds.
//
// + - * round correctly everywhere; a conversion to a storage type rounds to nearest even everywhere.
#pragma once

namespace amphora {

// Errors in units in the last place of the result, unless it says otherwise; correct rounding is 0.5. The defaults are
// what Highway documents for its functions.
struct Accuracy {
  double divide = 0.5;
  double square_root = 1.0;
  double exp = 1.0;
  double expm1 = 4.0;
  double log = 4.0;
  double log1p = 6.0;
  double tanh = 4.0;
  double sine = 3.0;  // of sin and cos
  double power = 1.0;
  double bias_correction = 0.5;  // of 1 - beta^step and its root

  // Roundings that each term of a product in matrix units costs. One rounds to nearest; two allow for units that cut
  // off. Elsewhere a term is a product and a sum, which round to nearest.
  double matrix_unit_term = 1.0;
  // What follows a sum (its logarithm, a scale, what it is added to) is in f64 and rounds once, when it is stored.
  bool f64_tails = true;
  // Where the vocabulary gives the order of operations, as in the optimizers, the bits are the oracle's.
  bool same_bits = true;
  // A subnormal f32, operand or result, may count as zero.
  bool flushes_subnormals = false;
};

}  // namespace amphora
