// The functions of kernel/shared/pointwise.def in f32, by CUDA's own mathematics.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/call.h"

#define C(value) (value##f)
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

// Calls body(f) with the formula of a function, so that the choice is made once for all that the body does.
template <class Body>
__device__ void with_value_of(UnaryFunction function, float p0, float p1, Body body) {
  switch (function) {
#define AM_UNARY(name, forward, derivative) \
  case UnaryFunction::name:                 \
    return body([=](float x) -> float { return forward; });
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  }
}

// The same with the derivative at x, where the function's value is y.
template <class Body>
__device__ void with_slope_of(UnaryFunction function, float p0, float p1, Body body) {
  switch (function) {
#define AM_UNARY(name, forward, derivative) \
  case UnaryFunction::name:                 \
    return body([=]([[maybe_unused]] float x, [[maybe_unused]] float y) -> float { return derivative; });
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  }
}

template <class Body>
__device__ void with_value_of(BinaryFunction function, Body body) {
  switch (function) {
#define AM_BINARY(name, forward, da, db) \
  case BinaryFunction::name:             \
    return body([](float a, float b) -> float { return forward; });
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  }
}

// The derivative of a, or of b.
template <class Body>
__device__ void with_slope_of(BinaryFunction function, bool second, Body body) {
  switch (function) {
#define AM_BINARY(name, forward, da, db)                                                                     \
  case BinaryFunction::name:                                                                                 \
    if (second) return body([]([[maybe_unused]] float a, [[maybe_unused]] float b) -> float { return db; }); \
    return body([]([[maybe_unused]] float a, [[maybe_unused]] float b) -> float { return da; });
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  }
}

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

// The pointwise function of an epilogue's activation, which is not `none`.
__device__ inline UnaryFunction function_of_activation(Activation activation) {
  switch (activation) {
    case Activation::gelu: return UnaryFunction::gelu;
    case Activation::silu: return UnaryFunction::silu;
    case Activation::sigmoid: return UnaryFunction::sigmoid;
    case Activation::tanh: return UnaryFunction::tanh;
    default: return UnaryFunction::relu;
  }
}

}  // namespace amphora::cuda
