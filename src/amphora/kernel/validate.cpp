#include "amphora/kernel/validate.h"

#include <algorithm>

#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/kernel/operands.h"

namespace amphora {
namespace {

std::string names_of(std::span<const OperandInfo> operands) {
  std::string names;
  for (const OperandInfo& operand : operands) names += fmt::format("{}{}", names.empty() ? "" : ", ", operand.name);
  return names;
}

std::size_t bytes_needed(const KernelCall& call, int index, const OperandUse& use) {
  const auto type = type_of(call, index);
  return type ? static_cast<std::size_t>(use.layout.span()) * size_of(*type) : operand_of(call.id, index).state_bytes;
}

std::string_view demand_of(Elements elements, DType type) {
  const bool fits = elements == Elements::floating ? is_floating(type)
                    : elements == Elements::master ? type == DType::f32 || type == DType::f64
                    : elements == Elements::i32    ? type == DType::i32
                                                   : true;
  if (fits) return "";
  return elements == Elements::floating ? "a floating type" : elements == Elements::master ? "f32 or f64" : "i32";
}

}  // namespace

void validate(const KernelCall& call) {
  const KernelInfo& info = info_of(call.id);
  require(info.functions.empty() || call.spec.function < info.functions.size(), "kernel {}: there is no function {}",
          info.name, call.spec.function);
  const auto count = static_cast<int>(info.operands.size());
  const auto refuse_count = [&] {
    fail("kernel {} takes {} buffers ({}), not {}", info.name, count, names_of(info.operands), call.buffer_count);
  };
  if (call.buffer_count > count) refuse_count();
  const Device* device = nullptr;
  for (int i = 0; i < count; ++i) {
    const BufferRange& range = call.at(i);
    const std::string_view name = info.operands[static_cast<std::size_t>(i)].name;
    const OperandUse use = operand_use(call, i);
    if (range.buffer == nullptr) {
      if (use.needed && i >= call.buffer_count) refuse_count();
      require(!use.needed, "kernel {}: buffer '{}' is missing", info.name, name);
      continue;
    }
    require(use.access != Access::unused,
            "kernel {}: buffer '{}' is given, but the call's function and flags leave it unused", info.name, name);
    const std::size_t size = range.buffer->bytes();
    require(range.offset <= size && range.bytes <= size - range.offset,
            "kernel {}: {} bytes at offset {} leave buffer '{}' of {} bytes", info.name, range.bytes, range.offset,
            name, size);
    // A product finds its rows by 64 bits; other kernels count elements in 32.
    const std::int64_t span = use.layout.span();
    require(call.id == KernelId::matmul || span <= kLargestSize<std::uint32_t>,
            "kernel {}: buffer '{}' spans {} elements, but kernels take {} at most; split it, for example into smaller "
            "batches",
            info.name, name, span, kLargestSize<std::uint32_t>);
    const std::size_t needed = bytes_needed(call, i, use);
    require(range.bytes >= needed, "kernel {}: buffer '{}' has {} bytes, but {} are needed", info.name, name,
            range.bytes, needed);
    require(device == nullptr || device == &range.buffer->device(),
            "kernel {}: buffer '{}' lies on another device than those before it; copy it first", info.name, name);
    device = &range.buffer->device();
  }
}

std::string reason_against(KernelId kernel, const Spec& spec, bool has_f64) {
  const auto operands = info_of(kernel).operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Elements elements = operands[i].elements;
    if (elements == Elements::like || elements == Elements::f32 || elements == Elements::state) continue;
    if (spec.types[i] == DType::f64 && !has_f64) {
      return fmt::format("{} is asked for f64 as {}, which this backend does not have", name_of(kernel),
                         operands[i].name);
    }
    const std::string_view demand = demand_of(elements, spec.types[i]);
    if (!demand.empty()) {
      return fmt::format("{} takes {} for {}, not {}", name_of(kernel), demand, operands[i].name,
                         name_of(spec.types[i]));
    }
  }
  return {};
}

Spec uniform_spec(KernelId kernel, DType type) {
  const auto operands = info_of(kernel).operands;
  Spec spec;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    switch (operands[i].elements) {
      case Elements::any:
      case Elements::floating: spec.types[i] = type; break;
      case Elements::master: spec.types[i] = type == DType::f64 ? DType::f64 : DType::f32; break;
      case Elements::i32: spec.types[i] = DType::i32; break;
      case Elements::like:
      case Elements::f32:
      case Elements::state: break;
    }
  }
  return spec;
}

}  // namespace amphora
