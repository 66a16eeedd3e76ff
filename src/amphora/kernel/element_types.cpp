#include "amphora/kernel/element_types.h"

#include <string_view>

#include "amphora/core/error.h"

namespace amphora {
namespace {

// A letter a buffer, for the first four: * any type, f floating, m a master's (f32 or f64), s f32 alone, i i32. Device
// state has none.
constexpr std::string_view types_of(KernelId kernel) {
  switch (kernel) {
    case KernelId::fill: return "*";
    case KernelId::cast:
    case KernelId::copy:
    case KernelId::accumulate:
    case KernelId::unary:
    case KernelId::reduce: return "**";
    case KernelId::binary: return "***";
    case KernelId::unary_grad:
    case KernelId::binary_grad:
    case KernelId::reduce_grad:
    case KernelId::matmul: return "ffff";
    case KernelId::softmax:
    case KernelId::dropout: return "ff";
    case KernelId::softmax_grad: return "fff";
    case KernelId::cross_entropy:
    case KernelId::cross_entropy_grad: return "fiff";
    case KernelId::inspect:
    case KernelId::unscale:
    case KernelId::clip_value: return "f";
    case KernelId::gradient_norm:
    case KernelId::clip_norm: return "fs";
    case KernelId::optimizer_step: return "fmff";
    case KernelId::lerp: return "ff";
    case KernelId::begin_step:
    case KernelId::scaler_update: return "";
  }
  return "";
}

std::string_view demand_of(char letter, DType type) {
  switch (letter) {
    case 'f': return is_floating(type) ? "" : "a floating type";
    case 'm': return type == DType::f32 || type == DType::f64 ? "" : "f32 or f64";
    case 's': return type == DType::f32 ? "" : "f32";
    case 'i': return type == DType::i32 ? "" : "i32";
    default: return "";
  }
}

}  // namespace

std::string reason_against(KernelId kernel, const Spec& spec, bool has_f64) {
  const std::string_view letters = types_of(kernel);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (spec.types[i] == DType::f64 && !has_f64) {
      return fmt::format("{} is asked for f64 as {}, which this backend does not have", name_of(kernel),
                         buffer_name(kernel, i));
    }
    const std::string_view demand = demand_of(letters[i], spec.types[i]);
    if (!demand.empty()) {
      return fmt::format("{} takes {} for {}, not {}", name_of(kernel), demand, buffer_name(kernel, i),
                         name_of(spec.types[i]));
    }
  }
  return {};
}

Spec uniform_spec(KernelId kernel, DType type) {
  const std::string_view letters = types_of(kernel);
  Spec spec;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    switch (letters[i]) {
      case 'i': spec.types[i] = DType::i32; break;
      case 's': spec.types[i] = DType::f32; break;
      case 'm': spec.types[i] = type == DType::f64 ? DType::f64 : DType::f32; break;
      default: spec.types[i] = type;
    }
  }
  return spec;
}

}  // namespace amphora
