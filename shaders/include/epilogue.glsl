// How sums become the result: activation(alpha * sum + beta * c + bias), rounded once. For a derivative, what would be
// activated is multiplied by the activation's slope at aux instead.
#ifndef EPILOGUE_GLSL
#define EPILOGUE_GLSL

#include "matmul.glsl"

layout(constant_id = 16) const uint kActivation = 0;  // 1 + its row of pointwise.def; 0: none

#define POINTWISE_ROW (kActivation - 1)
#include "pointwise.glsl"

// What `sum` becomes in c and aux, which begin at these addresses; c is read only where beta asks for it.
void finish(uvec2 c, uvec2 aux, uint at, uint column, float sum) {
  float value = push.params.alpha * sum;
  if (push.params.beta != 0.0) value += push.params.beta * load(kType2, c, at);
  if (push.bias != uvec2(0)) value += load(kType3, push.bias, column);
  if (kDerivative && kActivation != 0) {
    const float x = load(kType2, aux, at);
    value *= unary_slope(x, x, 0.0, 0.0);
  } else if (!kDerivative) {
    if (push.aux != uvec2(0)) store(kType2, aux, at, value);
    if (kActivation != 0) value = unary_value(value, 0.0, 0.0);
  }
  store(kType2, c, at, value);
}

// Where the sums of a tile go.
struct Target {
  uvec2 c, aux, partial;
  uint column;         // of the tile
  uint rows, columns;  // of the result, from the tile's first on
};

Target find_target(Tile tile) {
  const uint m = uint(push.params.m), n = uint(push.params.n), stride = uint(push.params.ldc);
  const uvec2 before = batch_address(kType2, uvec2(0), push.params.c_batch_stride, tile.batch);
  const uvec2 offset = element_address(kType2, before, tile.row, stride, tile.column);
  const uint row = (tile.slice * uint(push.params.batch) + tile.batch) * m + tile.row;
  const uvec2 partial = element_address(kF32, push.partial, row, n, tile.column);
  return Target(add64(push.c, offset), add64(push.aux, offset), partial, tile.column, m - tile.row, n - tile.column);
}

void put_sum(Target target, bool split, uint row, uint column, float sum) {
  if (row >= target.rows || column >= target.columns) return;
  uint at = row * uint(split ? push.params.n : push.params.ldc) + column;
  if (kFar) {
    const uvec2 offset = element_address(kType2, uvec2(0), row, uint(push.params.ldc), 0);
    target.c = add64(target.c, offset);
    target.aux = add64(target.aux, offset);
    target.partial = element_address(kF32, target.partial, row, uint(push.params.n), 0);
    at = column;
  }
  if (split) {
    Words(target.partial).at[at] = floatBitsToUint(sum);
  } else {
    finish(target.c, target.aux, at, target.column + column, sum);
  }
}

#endif
