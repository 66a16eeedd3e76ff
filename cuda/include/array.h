// An array of device memory as a kernel takes it: the element type is a value, not a template parameter.
//
// A switch over a type that is the same for all threads costs an instruction or two for eight elements, which memory
// traffic hides; in exchange every mix of types is one kernel, and the whole vocabulary compiles in seconds.
#pragma once

#include "amphora/core/dtype.h"

namespace amphora::cuda {

// Elements that a thread takes at a time: 16 bytes of a 16-bit type, twice 16 of another.
inline constexpr int kPack = 8;

struct Array {
  void* data = nullptr;  // null: absent
  DType type = DType::f32;
  bool wide = false;  // begins at a multiple of 16 bytes
};

}  // namespace amphora::cuda
