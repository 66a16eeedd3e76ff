// The rows of kernels.def: the kernels' ids, what each operand is, what a call may be specialised by.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include "amphora/kernel/functions.h"
#include "amphora/kernel/shared/params.h"

namespace amphora {

enum class KernelId : std::uint8_t {
#define AMPHORA_KERNEL(id, params, functions, operands) id,
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
};

// The operands of each kernel by name, as indices of its buffers: op::optimizer_step::group.
namespace op {
#define AM_OPERAND(name, access, elements, layout) name,
#define AM_OPTIONAL(name, needed, access, elements, layout) name,
#define AMPHORA_KERNEL(id, params, functions, operands) \
  namespace id {                                        \
  enum Operand : int { operands };                      \
  }
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
#undef AM_OPERAND
#undef AM_OPTIONAL
}  // namespace op

// What an operand holds: elements of these types, or one structure of device state.
enum class Elements : std::uint8_t { any, floating, master, f32, i32, like, state };

struct OperandInfo {
  std::string_view name;
  bool optional = false;
  Elements elements = Elements::any;
  int like = -1;                // the operand whose type this one has
  std::size_t state_bytes = 0;  // of a structure
};

struct KernelInfo {
  std::string_view name;
  std::string_view params;                      // the parameter structure's name
  std::span<const std::string_view> functions;  // what Spec::function chooses from; empty: nothing
  std::span<const OperandInfo> operands;
  bool fused = false;  // a backend may lack it: its op is then composed of others (ops/fused.h)
};

inline constexpr std::size_t kMaxBuffers = 12;

namespace vocabulary {

struct Structure {
  std::string_view name;
  std::size_t bytes;
};
inline constexpr Structure kStructures[] = {
    {"word", sizeof(std::uint32_t)},
#define AM_STRUCT(name, members) {#name, sizeof(name)},
#include "amphora/kernel/shared/params.def"
#undef AM_STRUCT
};

struct Operand {
  std::string_view name;
  bool optional;
  std::string_view elements;  // as the row has it: "floating", "like(c)", "GroupState"
};

// Not a constant expression for a word that is none of those that kernels.def explains.
template <std::size_t kCount>
constexpr std::array<OperandInfo, kCount> read(const Operand (&operands)[kCount]) {
  static_assert(kCount <= kMaxBuffers);
  constexpr std::string_view kWords[] = {"any", "floating", "master", "f32", "i32"};
  std::array<OperandInfo, kCount> result{};
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto [name, optional, elements] = operands[i];
    bool known = false;
    result[i] = {.name = name, .optional = optional};
    for (std::size_t w = 0; w < std::size(kWords); ++w) {
      if (elements == kWords[w]) {
        result[i].elements = static_cast<Elements>(w);
        known = true;
      }
    }
    for (std::size_t other = 0; other < kCount; ++other) {
      if (elements.starts_with("like(") && elements.substr(5, elements.size() - 6) == operands[other].name) {
        result[i].elements = Elements::like;
        result[i].like = static_cast<int>(other);
        known = true;
      }
    }
    for (const Structure& structure : kStructures) {
      if (elements == structure.name) {
        result[i].elements = Elements::state;
        result[i].state_bytes = structure.bytes;
        known = true;
      }
    }
    if (!known) throw "the row has elements of an unknown kind";
  }
  return result;
}

#define AM_OPERAND(name, access, elements, layout) {#name, false, #elements},
#define AM_OPTIONAL(name, needed, access, elements, layout) {#name, true, #elements},
#define AMPHORA_KERNEL(id, params, functions, operands) inline constexpr auto id = read({operands});
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
#undef AM_OPERAND
#undef AM_OPTIONAL

}  // namespace vocabulary

inline constexpr KernelInfo kKernels[] = {
#define AMPHORA_KERNEL(id, params, functions, operands) {#id, #params, names_of_functions(#functions), vocabulary::id},
#define AMPHORA_FUSED(id, params, functions, operands) \
  {#id, #params, names_of_functions(#functions), vocabulary::id, true},
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
};
inline constexpr int kKernelCount = static_cast<int>(std::size(kKernels));

constexpr const KernelInfo& info_of(KernelId id) { return kKernels[static_cast<std::size_t>(id)]; }
constexpr std::string_view name_of(KernelId id) { return info_of(id).name; }
constexpr bool is_fused(KernelId id) { return info_of(id).fused; }
constexpr const OperandInfo& operand_of(KernelId id, int index) {
  return info_of(id).operands[static_cast<std::size_t>(index)];
}

inline constexpr KernelId kFusedKernels[] = {
#define AMPHORA_KERNEL(id, params, functions, operands)
#define AMPHORA_FUSED(id, params, functions, operands) KernelId::id,
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
};
// Whether a backend that has these of the fused kernels lacks `id`.
constexpr bool is_composed(KernelId id, std::span<const KernelId> fused) {
  return is_fused(id) && std::find(fused.begin(), fused.end(), id) == fused.end();
}

}  // namespace amphora
