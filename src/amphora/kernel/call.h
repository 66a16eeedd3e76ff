// KernelCall: the one thing that flows from ops to backends - which kernel, specialised how, on which buffers.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "amphora/core/buffer.h"
#include "amphora/core/dtype.h"
#include "amphora/kernel/shared/params.h"

namespace amphora {

enum class KernelId : std::uint8_t {
#define AMPHORA_KERNEL(id, params, access, buffers) id,
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
};

struct KernelInfo {
  std::string_view name;
  std::string_view params;   // the parameter structure's name
  std::string_view access;   // a letter a buffer, see kernels.def
  std::string_view buffers;  // their names
};

inline constexpr KernelInfo kKernels[] = {
#define AMPHORA_KERNEL(id, params, access, buffers) {#id, #params, access, buffers},
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
};
inline constexpr int kKernelCount = static_cast<int>(std::size(kKernels));

constexpr const KernelInfo& info_of(KernelId id) { return kKernels[static_cast<int>(id)]; }
constexpr std::string_view name_of(KernelId id) { return info_of(id).name; }

// Whether a kernel may write its buffer `index`.
constexpr bool is_written(KernelId id, int index) {
  const char access = info_of(id).access[static_cast<std::size_t>(index)];
  return access != 'r' && access != 'R';
}

// The name of buffer `index` in the kernel's row.
constexpr std::string_view buffer_name(KernelId id, std::size_t index) {
  std::string_view names = info_of(id).buffers;
  for (std::size_t i = 0; i < index; ++i) names.remove_prefix(names.find(", ") + 2);
  return names.substr(0, names.find(", "));
}

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
constexpr std::string_view name_of(UnaryFunction f) { return kUnaryNames[static_cast<int>(f)]; }
constexpr std::string_view name_of(BinaryFunction f) { return kBinaryNames[static_cast<int>(f)]; }

enum class Reduction : std::uint8_t { sum, max, min };

// The epilogue's activation, applied to the f32 accumulator before the result is rounded.
enum class Activation : std::uint8_t { none, relu, gelu, silu, sigmoid, tanh };
constexpr std::string_view name_of(Activation activation) {
  constexpr std::string_view kNames[] = {"none", "relu", "gelu", "silu", "sigmoid", "tanh"};
  return kNames[static_cast<int>(activation)];
}
// The pointwise function that an activation applies; not defined for `none`.
constexpr UnaryFunction function_of(Activation activation) {
  constexpr UnaryFunction kFunctions[] = {UnaryFunction::relu, UnaryFunction::relu,    UnaryFunction::gelu,
                                          UnaryFunction::silu, UnaryFunction::sigmoid, UnaryFunction::tanh};
  return kFunctions[static_cast<int>(activation)];
}

inline constexpr std::uint8_t kFlagSecond = 1;      // binary_grad
inline constexpr std::uint8_t kFlagLog = 1;         // softmax
inline constexpr std::uint8_t kFlagTransposeA = 1;  // matmul
inline constexpr std::uint8_t kFlagTransposeB = 2;
inline constexpr std::uint8_t kFlagDerivative = 4;
// Operands of f32 may be rounded to TF32, 10 bits behind the point; a device without TF32 keeps them whole.
inline constexpr std::uint8_t kFlagTf32 = 8;
inline constexpr std::uint8_t kFlagBiasGradient = 16;
inline constexpr std::uint8_t kFlagAddBiasGradient = 32;

// What a kernel is specialised by: specialization constants, template instances, a row of a table.
struct Spec {
  std::array<DType, 4> types{};
  std::uint8_t function = 0;
  std::uint8_t flags = 0;
  bool operator==(const Spec&) const = default;
};

struct BufferRange {
  Buffer* buffer = nullptr;  // null: an optional buffer that is absent
  std::size_t offset = 0;    // bytes
  std::size_t bytes = 0;
};

inline constexpr int kMaxBuffers = 12;
inline constexpr std::size_t kMaxParamBytes = 96;

class KernelCall {
 public:
  template <class Params>
  KernelCall(KernelId kernel, const Spec& specialization, const Params& params) : id(kernel), spec(specialization) {
    static_assert(std::is_trivially_copyable_v<Params> && sizeof(Params) <= kMaxParamBytes);
    std::memcpy(params_.data(), &params, sizeof(Params));
  }

  // Appends the next buffer of the kernel's row; optional ones at its end may be left away.
  KernelCall& with(const BufferRange& range) {
    buffers[static_cast<std::size_t>(buffer_count++)] = range;
    return *this;
  }

  template <class Params>
  Params params() const {
    Params result;
    std::memcpy(&result, params_.data(), sizeof(Params));
    return result;
  }
  // Bytes behind the kernel's own parameters are 0.
  std::span<const std::byte> param_bytes() const { return params_; }

  KernelId id;
  Spec spec;
  int buffer_count = 0;
  std::array<BufferRange, kMaxBuffers> buffers{};

 private:
  std::array<std::byte, kMaxParamBytes> params_{};
};

// Throws Error, naming the kernel and the buffer, unless the call has the buffers of its row, each range lies inside
// its buffer and holds what the parameters count, all lie on one device, and the function exists. For backends: before
// they run a call. Strided kernels are not measured.
void validate(const KernelCall& call);

// "matmul f16 x f16 -> f32 ..." for messages and dumps.
std::string describe(const KernelCall& call);

}  // namespace amphora
