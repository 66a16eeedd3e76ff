// Arithmetic on rows of f32, shared by softmax and loss.
#pragma once

#include <cstddef>
#include <vector>

namespace amphora::cpu::simd {

// A pointer may be both input and output.
struct RowBlocks {
  float (*largest)(const float* x, std::size_t count);  // NaN is passed over
  float (*sum)(const float* x, std::size_t count);
  float (*dot)(const float* x, const float* y, std::size_t count);
  float (*sum_of_exp)(const float* x, float shift, std::size_t count);  // of exp(x - shift)
  void (*scaled_exp)(const float* x, float shift, float factor, float* out,
                     std::size_t count);                                                     // factor exp(x - shift)
  void (*subtract)(const float* x, float shift, float rest, float* out, std::size_t count);  // x - shift - rest
  void (*softmax_grad)(const float* y, const float* dy, float dot, float* out, std::size_t count);  // y (dy - dot)
  void (*log_softmax_grad)(const float* y, const float* dy, float sum, float* out,
                           std::size_t count);  // dy - exp(y) sum
};

RowBlocks row_blocks();

// This thread's scratch `index` (0 or 1), of at least `count` elements.
inline float* scratch_rows(std::size_t index, std::size_t count) {
  static thread_local std::vector<float> rows[2];
  if (rows[index].size() < count) rows[index].resize(count);
  return rows[index].data();
}

}  // namespace amphora::cpu::simd
