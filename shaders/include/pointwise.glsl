// The table of kernel/shared/pointwise.def. `function` is a constant wherever it matters, so that one row is left.
#ifndef POINTWISE_GLSL
#define POINTWISE_GLSL

#include "math.glsl"
#include "trigonometry.glsl"

#define C(value) (value)
#define SELECT(condition, then, otherwise) ((condition) ? (then) : (otherwise))
#define LESS(a, b) ((a) < (b))
#define EXP(x) exponential(x)
#define EXPM1(x) exponential_minus_1(x)
#define LOG(x) logarithm(x)
#define LOG1P(x) logarithm_of_1_plus(x)
#define SQRT(x) square_root(x)
#define TANH(x) hyperbolic_tangent(x)
#define SIN(x) sine(x)
#define COS(x) cosine(x)
#define ABS(x) without_sign(x)
#define POW(x, p) power(x, p)

// A row's number is its place: `row` counts them.
float unary_value(uint function, float x, float p0, float p1) {
  uint row = 0;
  precise float result = 0.0;
#define AM_UNARY(name, forward, derivative) \
  if (function == row++) result = forward;
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  return result;
}

// y: the function's value at x.
float unary_slope(uint function, float x, float y, float p0, float p1) {
  uint row = 0;
  precise float result = 0.0;
#define AM_UNARY(name, forward, derivative) \
  if (function == row++) result = derivative;
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  return result;
}

float binary_value(uint function, float a, float b) {
  uint row = 0;
  precise float result = 0.0;
#define AM_BINARY(name, forward, da, db) \
  if (function == row++) result = forward;
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  return result;
}

// The derivative of a, or of b.
float binary_slope(uint function, bool second, float a, float b) {
  uint row = 0;
  precise float result = 0.0;
#define AM_BINARY(name, forward, da, db)                            \
  if (function == row++) {                                          \
    if (second) {                                                   \
      result = db;                                                  \
    } else {                                                        \
      result = da;                                                  \
    }                                                               \
  }
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  return result;
}

#endif
