// Which instruction sets the kernels are compiled for. Include this before any header of Highway.
#pragma once

#include "hwy/detect_compiler_arch.h"

#if HWY_ARCH_X86
// SSE4, AVX2 and AVX-512. Without SSE4 find_launcher() returns null and the oracle runs everything, so the kernels
// need not be written for single lanes.
#define HWY_BASELINE_TARGETS HWY_SSE4
#elif !HWY_ARCH_ARM_A64
#define HWY_BROKEN_EMU128 0
#define HWY_COMPILE_ONLY_EMU128
#endif

// Here and nowhere else, so that no order of includes can bring Highway's defaults in first.
#include "hwy/detect_targets.h"
#include "hwy/targets.h"
