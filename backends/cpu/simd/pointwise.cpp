// unary, unary_grad, binary, binary_grad: the rows of pointwise.def over vectors of f32.
#include "backends/cpu/simd/pointwise.h"

#include <array>
#include <string_view>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/pointwise.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/math-inl.h"

#undef C
#define C(value) constant(static_cast<float>(value))
#undef SELECT
#define SELECT(condition, yes, no) select(condition, yes, no)
#undef LESS
#define LESS(a, b) less(a, b)
#undef EXP
#define EXP(x) exponential(x)
#undef EXPM1
#define EXPM1(x) exponential_minus_1(x)
#undef LOG
#define LOG(x) logarithm(x)
#undef LOG1P
#define LOG1P(x) logarithm_of_1_plus(x)
#undef SQRT
#define SQRT(x) square_root(x)
#undef TANH
#define TANH(x) hyperbolic_tangent(x)
#undef SIN
#define SIN(x) sine(x)
#undef COS
#define COS(x) cosine(x)
#undef ABS
#define ABS(x) absolute(x)
#undef POW
#define POW(x, p) power(x, p)

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

// Applies `function` to kInputs arrays at once. The rest at the end runs as a full vector, so that it rounds alike.
template <std::size_t kInputs, class Function>
HWY_INLINE void map(const std::array<const float*, kInputs>& inputs, float* out, std::size_t count,
                    const Function& function) {
  std::size_t i = 0;
  Value values[kInputs];
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t k = 0; k < kInputs; ++k) values[k] = {load(inputs[k] + i)};
    store(function(values).v, out + i);
  }
  if (i < count) {
    for (std::size_t k = 0; k < kInputs; ++k) values[k] = {load_part(inputs[k] + i, count - i)};
    store_part(function(values).v, out + i, count - i);
  }
}

#define AM_UNARY(name, forward, derivative)                                                          \
  void name##_forward(const float* in, float* out, std::size_t count, float c0, float c1) {          \
    [[maybe_unused]] const Value p0 = constant(c0), p1 = constant(c1);                               \
    map<1>({in}, out, count, [&](const Value* values) HWY_ATTR {                                     \
      [[maybe_unused]] const Value x = values[0];                                                    \
      return forward;                                                                                \
    });                                                                                              \
  }                                                                                                  \
  void name##_derivative(const UnaryInputs& in, float* out, std::size_t count, float c0, float c1) { \
    [[maybe_unused]] const Value p0 = constant(c0), p1 = constant(c1);                               \
    map<3>(in, out, count, [&](const Value* values) HWY_ATTR {                                       \
      [[maybe_unused]] const Value x = values[0], y = values[1];                                     \
      return values[2] * (derivative);                                                               \
    });                                                                                              \
  }
#define AM_BINARY(name, forward, da, db)                                            \
  void name##_forward(const BinaryInputs& in, float* out, std::size_t count) {      \
    map<2>({in[0], in[1]}, out, count, [](const Value* values) HWY_ATTR {           \
      const Value a = values[0], b = values[1];                                     \
      return forward;                                                               \
    });                                                                             \
  }                                                                                 \
  void name##_derivative_a(const BinaryInputs& in, float* out, std::size_t count) { \
    map<3>(in, out, count, [](const Value* values) HWY_ATTR {                       \
      [[maybe_unused]] const Value a = values[0], b = values[1];                    \
      return values[2] * (da);                                                      \
    });                                                                             \
  }                                                                                 \
  void name##_derivative_b(const BinaryInputs& in, float* out, std::size_t count) { \
    map<3>(in, out, count, [](const Value* values) HWY_ATTR {                       \
      [[maybe_unused]] const Value a = values[0], b = values[1];                    \
      return values[2] * (db);                                                      \
    });                                                                             \
  }
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
#undef AM_BINARY

UnaryBlocks find_unary(UnaryFunction function) {
  constexpr UnaryBlocks kRows[] = {
#define AM_UNARY(name, forward, derivative) {name##_forward, name##_derivative},
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
  };
  return kRows[static_cast<int>(function)];
}

BinaryBlocks find_binary(BinaryFunction function) {
  constexpr BinaryBlocks kRows[] = {
#define AM_BINARY(name, forward, da, db) {name##_forward, {name##_derivative_a, name##_derivative_b}},
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
  };
  return kRows[static_cast<int>(function)];
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_unary);
HWY_EXPORT(find_binary);

UnaryBlocks unary_blocks(UnaryFunction function) { return HWY_DYNAMIC_DISPATCH(find_unary)(function); }
BinaryBlocks binary_blocks(BinaryFunction function) { return HWY_DYNAMIC_DISPATCH(find_binary)(function); }

}  // namespace amphora::cpu::simd
#endif
