// How kernels split their work: by shape alone, so that bits never depend on the number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/threads.h"

namespace amphora::cpu::simd {

// Below this many elements waking a thread costs more than it saves.
inline constexpr std::size_t kInline = 32768;
// Elements of one task: enough to hide its start, few enough to keep several threads busy.
inline constexpr std::size_t kChunk = 16384;

// Calls body(task) for each task; on this thread if there is just one or `small`.
template <class Body>
void run_tasks(Threads& threads, std::size_t tasks, bool small, const Body& body) {
  if (small || tasks <= 1) {
    for (std::size_t task = 0; task < tasks; ++task) body(task);
    return;
  }
  // A reference, because a lambda with more than two captures would be copied to the heap.
  const auto call = [&body](std::int64_t task) { body(static_cast<std::size_t>(task)); };
  threads.run(static_cast<std::int64_t>(tasks), std::ref(call));
}

// Calls body(begin, end) over [0, count) in pieces of kChunk or less.
template <class Body>
void run_chunks(Threads& threads, std::size_t count, const Body& body) {
  if (count <= kInline) return body(std::size_t{0}, count);
  run_tasks(threads, (count + kChunk - 1) / kChunk, false,
            [&](std::size_t task) { body(task * kChunk, std::min(count, (task + 1) * kChunk)); });
}

// Calls body(begin, count) over [begin, end) in blocks of `block` or less.
template <class Body>
void for_blocks(std::size_t begin, std::size_t end, std::size_t block, const Body& body) {
  for (; begin < end; begin += block) body(begin, std::min(block, end - begin));
}

// Calls body(first, count) over bands of rows of `columns` elements; a band fits a block unless a single row does not.
template <class Body>
void run_rows(Threads& threads, std::size_t rows, std::size_t columns, const Body& body) {
  const std::size_t width = std::max<std::size_t>(1, columns);
  const std::size_t band = std::max<std::size_t>(1, kBlock / width);
  // Exponentials make a row dearer than its size says, so a quarter of the usual elements is a task.
  const std::size_t task_rows = std::max<std::size_t>(1, kChunk / 4 / width / band) * band;
  run_tasks(threads, (rows + task_rows - 1) / task_rows, rows * columns <= kInline / 4, [&](std::size_t task) {
    for_blocks(task * task_rows, std::min(rows, (task + 1) * task_rows), band, body);
  });
}

}  // namespace amphora::cpu::simd
