// loss: cross-entropy on logits, a row a sample.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "math.glsl"

#ifdef KERNEL_cross_entropy
#include "rows.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 logits;
  uvec2 targets;
  uvec2 loss;
  uvec2 log_sum_exp;
  CrossEntropyParams params;
};

void main() {
  FOR_EACH_ROW(row, params.rows) {
    const uint begin = row * params.columns;
    const uint columns = row < params.rows ? params.columns : 0;
    float largest = -kInfinity;
    FOR_EACH_COLUMN(j, columns) largest = larger(largest, load(kType0, logits, begin + j));
    largest = largest_in_row(largest, kLanes);
    precise float sum = 0.0;
    FOR_EACH_COLUMN(j, columns) {
      precise float shifted = load(kType0, logits, begin + j) - largest;
      sum += exponential(shifted);
    }
    sum = sum_in_row(sum, kLanes);
    if (row < params.rows && lane() % kLanes == 0) {
      const float log_sum = logarithm(sum);
      precise float whole = largest + log_sum;
      store(kType3, log_sum_exp, row, whole);
      const uint target = load_stored(kI32, targets, row);  // a negative one lies above every column
      const bool valid = target < params.columns;
      // The small difference of two numbers that may be large, so the large ones first.
      precise float distance = largest - load(kType0, logits, begin + (valid ? target : 0));
      precise float value = distance + log_sum;
      store(kType2, loss, row, valid ? value : kNaN);
    }
  }
}
#endif

#ifdef KERNEL_cross_entropy_grad
#include "quads.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 logits;
  uvec2 targets;
  uvec2 log_sum_exp;
  uvec2 dloss;
  uvec2 dlogits;
  CrossEntropyParams params;
};

// Of a logit in row n / columns.
float gradient(float logit, uint n) {
  const uint row = n / params.columns;
  const uint target = load_stored(kI32, targets, row);
  precise float distance = logit - load(kType2, log_sum_exp, row);
  // p - 1 of the target, without cancellation where p is nearly 1.
  const bool is_target = n - row * params.columns == target;
  precise float probability = is_target ? exponential_minus_1(distance) : exponential(distance);
  precise float result = load(kType3, dloss, row * params.dloss_stride) * probability;
  return target < params.columns ? result : 0.0;
}

void main() {
  const uint count = params.rows * params.columns;
  FOR_EACH_QUAD(i, count) {
    vec4 values = load_quad(kType0, logits, i, count);
    for (uint k = 0; k < 4; ++k) {
      if (4 * i + k < count) values[k] = gradient(values[k], 4 * i + k);
    }
    store_quad(kType0, dlogits, i, count, values);
  }
}
#endif
