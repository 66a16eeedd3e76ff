#include "amphora/kernel/call.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "amphora/core/error.h"
#include "amphora/kernel/optimizers.h"

namespace amphora {
namespace {

constexpr bool is_optional(char access) { return access == 'R' || access == 'W' || access == 'U'; }

// How many functions Spec::function chooses from; 256 where it has no meaning.
constexpr std::size_t functions_of(KernelId id) {
  switch (id) {
    case KernelId::unary:
    case KernelId::unary_grad: return std::size(kUnaryNames);
    case KernelId::binary:
    case KernelId::binary_grad: return std::size(kBinaryNames);
    case KernelId::matmul: return static_cast<std::size_t>(Activation::tanh) + 1;
    case KernelId::reduce:
    case KernelId::reduce_grad: return static_cast<std::size_t>(Reduction::min) + 1;
    case KernelId::optimizer_step: return std::size(kOptimizers);
    default: return 256;
  }
}

// What the device state of that name takes; 0 for an array of elements.
constexpr std::size_t state_bytes(std::string_view buffer) {
  if (buffer == "scaler") return sizeof(ScalerState);
  if (buffer == "stats") return sizeof(GradientStats);
  if (buffer == "group") return sizeof(GroupState);
  return buffer == "total" || buffer == "call" || buffer == "lr" ? sizeof(float) : 0;
}

// Whether the parameters begin with the number of elements of every array.
constexpr bool is_flat(std::string_view params) {
  constexpr std::string_view kFlat[] = {"CountParams",        "FillParams", "UnaryParams", "DropoutParams",
                                        "GradientNormParams", "ClipParams", "LerpParams",  "OptimizerParams"};
  for (const std::string_view name : kFlat) {
    if (params == name) return true;
  }
  return false;
}

struct Needs {
  bool flat = false;
  std::array<std::size_t, kMaxBuffers> state{};
};

constexpr auto kNeeds = [] {
  std::array<Needs, kKernelCount> table{};
  for (std::size_t k = 0; k < table.size(); ++k) {
    table[k].flat = is_flat(kKernels[k].params);
    for (std::size_t i = 0; i < kKernels[k].access.size(); ++i) {
      table[k].state[i] = state_bytes(buffer_name(static_cast<KernelId>(k), i));
    }
  }
  return table;
}();

// The bytes that buffer `index` must have at least, as far as the parameters tell without a shape.
std::size_t least_bytes(const KernelCall& call, std::size_t index) {
  const Needs& needs = kNeeds[static_cast<std::size_t>(call.id)];
  if (call.id == KernelId::matmul && index == 5) {
    return sizeof(float) * static_cast<std::size_t>(std::max(call.params<MatmulParams>().n, 0));
  }
  if (needs.state[index] > 0 || !needs.flat) return needs.state[index];
  const DType type = call.spec.types[index < call.spec.types.size() ? index : call.spec.types.size() - 1];
  return call.params<CountParams>().count * size_of(type);
}

// A rule has its states, but for those that may be absent.
void validate_states(const KernelCall& call) {
  const OptimizerRow& row = kOptimizers[call.spec.function];
  for (std::size_t i = 0; i < row.access.size(); ++i) {
    require(is_optional(row.access[i]) || call.buffers[i + 3].buffer != nullptr,
            "kernel optimizer_step: {} needs the state '{}'", row.name, row.states[i]);
  }
}

}  // namespace

void validate(const KernelCall& call) {
  const KernelInfo& info = info_of(call.id);
  require(call.spec.function < functions_of(call.id), "kernel {}: there is no function {}", info.name,
          call.spec.function);
  const auto count = static_cast<std::size_t>(call.buffer_count);
  require(count <= info.access.size() &&
              std::all_of(info.access.begin() + call.buffer_count, info.access.end(), is_optional),
          "kernel {} takes {} buffers ({}), not {}", info.name, info.access.size(), info.buffers, count);
  require(call.id != KernelId::matmul || (call.spec.flags & kFlagDerivative) == 0 || call.buffers[4].buffer != nullptr,
          "kernel matmul: a derivative needs the buffer 'aux'");
  require(call.id != KernelId::matmul ||
              ((call.spec.flags & kFlagBiasGradient) != 0) == (call.buffers[5].buffer != nullptr),
          "kernel matmul: the buffer 'bias_gradient' and its flag belong together");
  if (call.id == KernelId::optimizer_step) validate_states(call);
  const Device* device = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const BufferRange& range = call.buffers[i];
    if (range.buffer == nullptr) {
      require(is_optional(info.access[i]), "kernel {}: buffer '{}' is missing", info.name, buffer_name(call.id, i));
      continue;
    }
    const std::size_t size = range.buffer->bytes();
    require(range.offset <= size && range.bytes <= size - range.offset,
            "kernel {}: {} bytes at offset {} leave buffer '{}' of {} bytes", info.name, range.bytes, range.offset,
            buffer_name(call.id, i), size);
    const std::size_t least = least_bytes(call, i);
    require(range.bytes >= least, "kernel {}: buffer '{}' has {} bytes, but {} are needed", info.name,
            buffer_name(call.id, i), range.bytes, least);
    require(device == nullptr || device == &range.buffer->device(),
            "kernel {}: buffer '{}' lies on another device than those before it; copy it first", info.name,
            buffer_name(call.id, i));
    device = &range.buffer->device();
  }
}

std::string describe(const KernelCall& call) {
  std::string text(name_of(call.id));
  if (call.id == KernelId::unary || call.id == KernelId::unary_grad) {
    text += fmt::format("({})", kUnaryNames[call.spec.function]);
  } else if (call.id == KernelId::binary || call.id == KernelId::binary_grad) {
    text += fmt::format("({})", kBinaryNames[call.spec.function]);
  } else if (call.id == KernelId::optimizer_step) {
    text += fmt::format("({})", kOptimizers[call.spec.function].name);
  }
  for (int i = 0; i < call.buffer_count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    if (call.buffers[index].buffer == nullptr) continue;
    text += fmt::format(" {}", info_of(call.id).access[index]);
    if (index < call.spec.types.size()) text += fmt::format(":{}", name_of(call.spec.types[index]));
    text += fmt::format("[{} B]", call.buffers[index].bytes);
  }
  return text;
}

}  // namespace amphora
