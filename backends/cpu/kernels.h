// The cpu backend's kernels: a scalar oracle that is complete, and vectorised kernels for what training needs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "amphora/kernel/call.h"
#include "backends/cpu/threads.h"

namespace amphora::cpu {

using Launcher = void (*)(const KernelCall& call, Threads& threads);

// The oracle: plain loops in f64, each result rounded once to its type, on one thread. Every kernel, every type.
namespace oracle {
Launcher find_launcher(KernelId kernel);
}

// Vectorised (Highway, the best instruction set of this CPU) and threaded; products through OpenBLAS. Results don't
// depend on the number of threads. Returns null for what has no vectorised form: the oracle runs it.
namespace simd {
Launcher find_launcher(KernelId kernel, const Spec& spec);
std::string_view target_name();  // "AVX3"
}  // namespace simd

// Typed pointer to buffer `index` of a call; null where an optional buffer is absent.
void* data_of(const KernelCall& call, int index);
template <class T>
T* data_of(const KernelCall& call, int index) {
  return static_cast<T*>(data_of(call, index));
}

}  // namespace amphora::cpu
