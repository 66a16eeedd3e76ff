// Runs the blocks of a grid one after another, and a block's threads in turns, on the processor.
//
// A thread runs until it waits for others - at a barrier, or in a function of its warp - or ends. Threads are taken in
// ascending and in descending order by turns, so that a barrier that is missing shows as other bits: the order changes
// from block to block, and from one launch of a kernel to its next.
#pragma once

#include <cstdint>

#include <vector_types.h>

// NOLINTBEGIN(readability-identifier-naming): the names are CUDA's
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
// NOLINTEND(readability-identifier-naming)

namespace amphora::emulator {

struct Launch {
  dim3 blocks;
  dim3 threads;
  const void* name = nullptr;                       // the same for all launches of a kernel
  void (*kernel)(const void* arguments) = nullptr;  // one thread's run
  const void* arguments = nullptr;
};

// False, with a message on stderr, when threads wait for others that never come. One grid at a time.
bool run_grid(const Launch& launch);

// What follows is for kernels.

// Of a thread in its warp.
unsigned lane();

// Waits for all threads of the block; true if any of them gave true.
bool meet_block(bool value);

// Waits for all 32 lanes of the warp, and returns what each of them gave. All must be in the same function.
enum class WarpFunction { sync, shuffle, vote };
const std::uint64_t* meet_warp(WarpFunction function, unsigned mask, std::uint64_t value);

}  // namespace amphora::emulator
