// What kernels are specialised by: functions, by name, and flags.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace amphora {

enum class UnaryFunction : std::uint8_t {
#define AM_UNARY(name, forward, derivative) name,
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
};

enum class BinaryFunction : std::uint8_t {
#define AM_BINARY(name, forward, da, db) name,
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
};

enum class OptimizerRule : std::uint8_t {
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) name,
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
};

enum class Reduction : std::uint8_t { sum, max, min };

// The epilogue's activation, applied to the f32 accumulator before the result is rounded.
enum class Activation : std::uint8_t { none, relu, gelu, silu, sigmoid, tanh };

inline constexpr std::string_view kUnaryNames[] = {
#define AM_UNARY(name, forward, derivative) #name,
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
};
inline constexpr std::string_view kBinaryNames[] = {
#define AM_BINARY(name, forward, da, db) #name,
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
};
inline constexpr std::string_view kOptimizerNames[] = {
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) #name,
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
};
inline constexpr std::string_view kReductionNames[] = {"sum", "max", "min"};
inline constexpr std::string_view kActivationNames[] = {"none", "relu", "gelu", "silu", "sigmoid", "tanh"};

constexpr std::string_view name_of(UnaryFunction f) { return kUnaryNames[static_cast<std::size_t>(f)]; }
constexpr std::string_view name_of(BinaryFunction f) { return kBinaryNames[static_cast<std::size_t>(f)]; }
constexpr std::string_view name_of(OptimizerRule r) { return kOptimizerNames[static_cast<std::size_t>(r)]; }
constexpr std::string_view name_of(Reduction f) { return kReductionNames[static_cast<std::size_t>(f)]; }
constexpr std::string_view name_of(Activation f) { return kActivationNames[static_cast<std::size_t>(f)]; }

// The names of an enumeration above, or of none, as a row of kernels.def has it.
constexpr std::span<const std::string_view> names_of_functions(std::string_view enumeration) {
  if (enumeration == "UnaryFunction") return kUnaryNames;
  if (enumeration == "BinaryFunction") return kBinaryNames;
  if (enumeration == "OptimizerRule") return kOptimizerNames;
  if (enumeration == "Reduction") return kReductionNames;
  if (enumeration == "Activation") return kActivationNames;
  if (enumeration != "none") throw "the row has functions of an unknown enumeration";
  return {};
}

// The pointwise function that an activation applies; not defined for `none`.
constexpr UnaryFunction function_of(Activation activation) {
  constexpr UnaryFunction kFunctions[] = {UnaryFunction::relu, UnaryFunction::relu,    UnaryFunction::gelu,
                                          UnaryFunction::silu, UnaryFunction::sigmoid, UnaryFunction::tanh};
  return kFunctions[static_cast<std::size_t>(activation)];
}

// Spec::flags, by kernel.
inline constexpr std::uint8_t kBinaryGradSecond = 1;
inline constexpr std::uint8_t kSoftmaxLog = 1;
inline constexpr std::uint8_t kMatmulTransposeA = 1;
inline constexpr std::uint8_t kMatmulTransposeB = 2;
inline constexpr std::uint8_t kMatmulDerivative = 4;
// Operands of f32 may be rounded to TF32, 10 bits behind the point; a device without TF32 keeps them whole.
inline constexpr std::uint8_t kMatmulTf32 = 8;
inline constexpr std::uint8_t kMatmulBiasGradient = 16;
inline constexpr std::uint8_t kMatmulAddBiasGradient = 32;

}  // namespace amphora
