// The table of kernel/shared/pointwise.def. Whoever includes this has defined POINTWISE_ROW, a specialization constant, so
// that the backend drops all other rows before a driver sees them.
#ifndef POINTWISE_GLSL
#define POINTWISE_GLSL

#include "math.glsl"
#include "tables.glsl"
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

float unary_value(float x, float p0, float p1) {
  precise float result = 0.0;
#define AM_UNARY(name, forward, derivative) \
  if (POINTWISE_ROW == UNARY_##name) result = forward;
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  return result;
}

// y: the function's value at x.
float unary_slope(float x, float y, float p0, float p1) {
  precise float result = 0.0;
#define AM_UNARY(name, forward, derivative) \
  if (POINTWISE_ROW == UNARY_##name) result = derivative;
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  return result;
}

float binary_value(float a, float b) {
  precise float result = 0.0;
#define AM_BINARY(name, forward, da, db) \
  if (POINTWISE_ROW == BINARY_##name) result = forward;
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  return result;
}

// The derivative of a, or of b.
float binary_slope(bool second, float a, float b) {
  precise float result = 0.0;
#define AM_BINARY(name, forward, da, db) \
  if (POINTWISE_ROW == BINARY_##name) {  \
    if (second) {                        \
      result = db;                       \
    } else {                             \
      result = da;                       \
    }                                    \
  }
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  return result;
}

#endif
