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
#include "amphora/kernel/kernels.h"

namespace amphora {

// What a kernel is specialised by: specialization constants, template instances, a row of a table.
struct Spec {
  std::array<DType, kMaxBuffers> types{};  // of each buffer; without meaning where the row leaves no choice
  std::uint8_t function = 0;
  std::uint8_t flags = 0;
  bool operator==(const Spec&) const = default;
};

struct BufferRange {
  Buffer* buffer = nullptr;  // null: an optional buffer that is absent
  std::size_t offset = 0;    // bytes
  std::size_t bytes = 0;
};

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

  // Buffer `index`, such as op::optimizer_step::group; absent where the call has none.
  const BufferRange& at(int index) const { return buffers[static_cast<std::size_t>(index)]; }
  BufferRange& at(int index) { return buffers[static_cast<std::size_t>(index)]; }
  DType type_at(int index) const { return spec.types[static_cast<std::size_t>(index)]; }
  bool has_flag(std::uint8_t flag) const { return (spec.flags & flag) != 0; }

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

}  // namespace amphora
