// softmax: along rows, shifted by the row's maximum so that exp cannot overflow.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "math.glsl"
#include "rows.glsl"

const uint kFlagLog = 1;
bool is_logarithm() { return (kFlags & kFlagLog) != 0; }

#ifdef KERNEL_softmax
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  RowsParams params;
};

void main() {
  FOR_EACH_ROW(row, params.rows) {
    const uint begin = row * params.columns;
    const uint columns = row < params.rows ? params.columns : 0;
    float largest = -kInfinity;
    FOR_EACH_COLUMN(j, columns) largest = larger(largest, load(kType0, x, begin + j));
    largest = largest_in_row(largest, kLanes);
    precise float sum = 0.0;
    FOR_EACH_COLUMN(j, columns) {
      precise float shifted = load(kType0, x, begin + j) - largest;
      sum += exponential(shifted);
    }
    sum = sum_in_row(sum, kLanes);
    const float last = is_logarithm() ? logarithm(sum) : quotient(1.0, sum);
    FOR_EACH_COLUMN(j, columns) {
      precise float shifted = load(kType0, x, begin + j) - largest;
      precise float result = 0.0;
      if (is_logarithm()) {
        result = shifted - last;
      } else {
        result = exponential(shifted) * last;
      }
      store(kType1, y, begin + j, result);
    }
  }
}
#endif

#ifdef KERNEL_softmax_grad
layout(push_constant, std430) uniform Push {
  uvec2 y;
  uvec2 dy;
  uvec2 dx;
  RowsParams params;
};

void main() {
  FOR_EACH_ROW(row, params.rows) {
    const uint begin = row * params.columns;
    const uint columns = row < params.rows ? params.columns : 0;
    precise float sum = 0.0;
    FOR_EACH_COLUMN(j, columns) {
      precise float term = load(kType1, dy, begin + j);
      if (!is_logarithm()) term = load(kType0, y, begin + j) * term;
      sum += term;
    }
    sum = sum_in_row(sum, kLanes);
    FOR_EACH_COLUMN(j, columns) {
      const float value = load(kType0, y, begin + j);
      const float slope = load(kType1, dy, begin + j);
      precise float result = 0.0;
      if (is_logarithm()) {
        result = slope - exponential(value) * sum;
      } else {
        result = value * (slope - sum);
      }
      store(kType2, dx, begin + j, result);
    }
  }
}
#endif
