// The structures of params.def in C++ and CUDA.
#pragma once

#include <cstdint>

namespace amphora {

#define AM_STRUCT(name, members) \
  struct name {                  \
    members                      \
  };
#define AM_INT(name) std::int32_t name;
#define AM_UINT32(name) std::uint32_t name;
#define AM_UINT32S(name) std::uint32_t name[5];
#define AM_FLOAT(name) float name;
#define AM_FLOATS(name) float name[8];
#include "amphora/kernel/shared/params.def"
#undef AM_STRUCT
#undef AM_INT
#undef AM_UINT32
#undef AM_UINT32S
#undef AM_FLOAT
#undef AM_FLOATS

}  // namespace amphora
