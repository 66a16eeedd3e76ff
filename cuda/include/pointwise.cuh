// The functions of kernel/shared/pointwise.def in f32: of one element, or of a pack.
//
// The function is the same for all threads. Of a pack, each case has its own loop over the elements, so that the
// choice costs one branch for eight.
#pragma once

#include "cuda/include/io.cuh"
#include "kernel/call.h"

#define C(value) static_cast<float>(value)
#define SELECT(condition, then, otherwise) ((condition) ? (then) : (otherwise))
#define LESS(a, b) ((a) < (b))
#define EXP(x) expf(x)
#define EXPM1(x) expm1f(x)
#define LOG(x) logf(x)
#define LOG1P(x) log1pf(x)
#define SQRT(x) sqrtf(x)
#define TANH(x) tanhf(x)
#define SIN(x) sinf(x)
#define COS(x) cosf(x)
#define ABS(x) fabsf(x)
#define POW(x, p) powf(x, p)

namespace amphora::cuda {

// --- one element ---

__device__ inline float apply(UnaryFunction function, float x, float p0 = 0.0f, float p1 = 0.0f) {
  switch (function) {
#define AM_UNARY(name, forward, derivative) \
  case UnaryFunction::name:                 \
    return forward;
#include "kernel/shared/pointwise.def"
#undef AM_UNARY
  }
  return 0.0f;
}

// The derivative at x, where the function's value is y.
__device__ inline float slope(UnaryFunction function, float x, float y, float p0 = 0.0f, float p1 = 0.0f) {
  switch (function) {
#define AM_UNARY(name, forward, derivative) \
  case UnaryFunction::name:                 \
    return derivative;
#include "kernel/shared/pointwise.def"
#undef AM_UNARY
  }
  return 0.0f;
}

// --- eight ---

__device__ inline Pack product(const Pack& a, const Pack& b) {
  return each([](float x, float y) { return x * y; }, a, b);
}

__device__ inline Pack apply(UnaryFunction function, const Pack& xs, float p0, float p1) {
  switch (function) {
#define AM_UNARY(name, forward, derivative) \
  case UnaryFunction::name:                 \
    return each([=](float x) -> float { return forward; }, xs);
#include "kernel/shared/pointwise.def"
#undef AM_UNARY
  }
  return xs;
}

__device__ inline Pack slope(UnaryFunction function, const Pack& xs, const Pack& ys, float p0, float p1) {
  switch (function) {
#define AM_UNARY(name, forward, derivative) \
  case UnaryFunction::name:                 \
    return each([=]([[maybe_unused]] float x, [[maybe_unused]] float y) -> float { return derivative; }, xs, ys);
#include "kernel/shared/pointwise.def"
#undef AM_UNARY
  }
  return xs;
}

__device__ inline Pack apply(BinaryFunction function, const Pack& as, const Pack& bs) {
  switch (function) {
#define AM_BINARY(name, forward, da, db) \
  case BinaryFunction::name:             \
    return each([](float a, float b) -> float { return forward; }, as, bs);
#include "kernel/shared/pointwise.def"
#undef AM_BINARY
  }
  return as;
}

// The derivative of a, or of b.
__device__ inline Pack slope(BinaryFunction function, bool second, const Pack& as, const Pack& bs) {
  switch (function) {
#define AM_BINARY(name, forward, da, db)                                                                   \
  case BinaryFunction::name:                                                                               \
    if (second) {                                                                                          \
      return each([]([[maybe_unused]] float a, [[maybe_unused]] float b) -> float { return db; }, as, bs); \
    }                                                                                                      \
    return each([]([[maybe_unused]] float a, [[maybe_unused]] float b) -> float { return da; }, as, bs);
#include "kernel/shared/pointwise.def"
#undef AM_BINARY
  }
  return as;
}

}  // namespace amphora::cuda

#undef C
#undef SELECT
#undef LESS
#undef EXP
#undef EXPM1
#undef LOG
#undef LOG1P
#undef SQRT
#undef TANH
#undef SIN
#undef COS
#undef ABS
#undef POW
