// reduce: sums and extrema along the middle of [outer, extent, inner].
#version 460
#extension GL_GOOGLE_include_directive : require

#include "exact.glsl"
#include "io.glsl"
#include "lines.glsl"
#include "pairs.glsl"

// As enum Reduction.
const uint kSum = 0;
const uint kMax = 1;

#ifdef KERNEL_reduce
layout(constant_id = 16) const uint kIn = kF32;  // element types of this pass
layout(constant_id = 17) const uint kOut = kF32;
layout(constant_id = 18) const uint kFours = 0;  // what four neighbours are: 0 nothing, 1 columns, 2 rows of one column
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 target;
  ReduceParams params;
  LineTiling cut;
};

shared vec4 values[gl_WorkGroupSize.x];

float neutral() {
  const float infinity = uintBitsToFloat(0x7F800000u);
  return kFunction == kSum ? 0.0 : kFunction == kMax ? -infinity : infinity;
}

// Integers that order as the numbers do, subnormals too where a driver flushes them.
int rank_of(float x) {
  const int bits = floatBitsToInt(x);
  return bits < 0 ? bits ^ 0x7FFFFFFF : bits;
}

// NaN wins.
float joined(float a, float b) {
  if (kFunction == kSum) {
    precise float sum = a + b;
    return sum;
  }
  if (is_nan(a) || is_nan(b)) return uintBitsToFloat(0x7FC00000u);
  return (rank_of(a) < rank_of(b)) == (kFunction == kMax) ? b : a;
}

vec4 joined4(vec4 a, vec4 b) {
  if (kFours == 0) return vec4(joined(a.x, b.x), 0.0, 0.0, 0.0);
  return vec4(joined(a.x, b.x), joined(a.y, b.y), joined(a.z, b.z), joined(a.w, b.w));
}

// scale * value (+ what is there), rounded once.
void finish(float value, uint at) {
  // x + -0 is x, its sign included.
  const float old = params.accumulate != 0 ? load(kOut, target, at) : -0.0;
  const vec2 result = fused_pair(value, params.scale, old);
  store(kOut, target, at, is_half(kOut) ? rounded_to_odd(result) : result.x);
}

void main() {
  const uint inner = kFours == 1 ? params.inner / 4 : params.inner;
  const uint extent = kFours == 2 ? params.extent / 4 : params.extent;
  FOR_EACH_TILE(tile, tiles_of(cut, params.outer, inner)) {
    const Line line = line_of(cut, tile, params.outer, inner);
    vec4 value = vec4(neutral());
    if (line.exists) {
      const uint end = min(extent, (line.part + 1) * cut.part_rows);
      for (uint row = line.part * cut.part_rows + line.row_lane; row < end; row += cut.row_lanes) {
        const uint at = (line.outer * extent + row) * inner + line.column;
        value = joined4(value, kFours != 0 ? load4(kIn, source, at) : vec4(load(kIn, source, at)));
      }
    }
    if (cut.row_lanes > 1) {
      values[gl_LocalInvocationIndex] = value;
      JOIN_ROW_LANES(values, line.row_lane, cut, joined4)
      value = values[gl_LocalInvocationIndex];
    }
    if (line.exists && line.row_lane == 0) {
      // Parts lie behind each other.
      const uint at = (line.part * params.outer + line.outer) * inner + line.column;
      if (kFours == 1) {
        for (uint k = 0; k < 4; ++k) finish(value[k], 4 * at + k);
      } else {
        finish(kFours == 2 ? joined(joined(value.x, value.y), joined(value.z, value.w)) : value.x, at);
      }
    }
  }
}
#endif

#ifdef KERNEL_reduce_grad
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  uvec2 dy;
  uvec2 dx;
  ReduceParams params;
  LineTiling cut;  // of one part
};

shared uint ties[gl_WorkGroupSize.x];

uint sum_of(uint a, uint b) { return a + b; }

// By bits, so that a driver that flushes subnormals does not take them for zeros.
bool is_same(float a, float b) {
  const uint bits = floatBitsToUint(a);
  return !is_nan(a) && (bits == floatBitsToUint(b) || ((bits | floatBitsToUint(b)) & 0x7FFFFFFFu) == 0);
}

void main() {
  FOR_EACH_TILE(tile, tiles_of(cut, params.outer, params.inner)) {
    const Line line = line_of(cut, tile, params.outer, params.inner);
    const uint result = line.exists ? line.outer * params.inner + line.column : 0;
    const uint begin = line.exists ? line.outer * params.extent * params.inner + line.column : 0;
    const uint end = line.exists ? params.extent : 0;
    const float extremum = load(kType1, y, result);
    uint count = 0;
    for (uint row = line.row_lane; row < end; row += cut.row_lanes) {
      if (is_same(load(kType0, x, begin + row * params.inner), extremum)) ++count;
    }
    if (cut.row_lanes > 1) {
      ties[gl_LocalInvocationIndex] = count;
      JOIN_ROW_LANES(ties, line.row_lane, cut, sum_of)
      if (line.exists) count = ties[gl_LocalInvocationIndex - line.row_lane * cut.columns];
      barrier();
    }
    precise float scaled = params.scale * load(kType2, dy, result);
    const float share = count == 0 ? 0.0 : quotient(scaled, float(count));
    for (uint row = line.row_lane; row < end; row += cut.row_lanes) {
      const uint at = begin + row * params.inner;
      store(kType3, dx, at, is_same(load(kType0, x, at), extremum) ? share : 0.0);
    }
  }
}
#endif
