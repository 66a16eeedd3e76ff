// matmul by multiply-adds in f32, for operands of any type and devices without cooperative matrices.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "epilogue.glsl"

#ifdef KERNEL_matmul
// A workgroup computes a tile of c, each invocation some of its rows and columns, in quads that lie apart so that
// neighbours read neighbouring quads. Blocks of a and b become f32 on their way into shared memory, where each step of
// k is a row; while one block is multiplied, the next is on its way into registers. On a CPU, which gains nothing from
// that, an invocation loads what it needs itself.
layout(constant_id = 18) const uint kThreadsM = 16;
layout(constant_id = 19) const uint kThreadsN = 16;
layout(constant_id = 20) const uint kQuadsM = 2;  // of rows of an invocation
layout(constant_id = 21) const uint kQuadsN = 2;
layout(constant_id = 22) const uint kDepth = 8;  // of a block, in multiples of 4

const uint kTileM = kThreadsM * kQuadsM * 4, kTileN = kThreadsN * kQuadsN * 4;
const uint kThreads = kThreadsM * kThreadsN;
const bool kLoadsDirectly = (kOptions & kDirect) != 0;

// Rows are one quad longer than the tile: the columns that a transposing store writes to fall into different banks.
const uint kStrideA = kTileM / 4 + 1, kStrideB = kTileN / 4 + 1;
shared vec4 staged_a[kDepth * kStrideA];
shared vec4 staged_b[kDepth * kStrideB];

const uint kFetchesA = (kTileM * kDepth / 4 + kThreads - 1) / kThreads;
const uint kFetchesB = (kTileN * kDepth / 4 + kThreads - 1) / kThreads;
vec4 next_a[kFetchesA], next_b[kFetchesB];
vec4 sums[kQuadsM * 4][kQuadsN];

// Quad `at` of a block that is `extent` wide, as it is stored: along k, or across it.
uvec2 quad_position(uint at, bool along_k, uint extent) {
  const uint width = (along_k ? kDepth : extent) / 4;
  return uvec2(at / width, at % width * 4);
}

void fetch(Tile tile, uint k) {
  const Source a = source_a(tile, k), b = source_b(tile, k);
  [[unroll]] for (uint i = 0; i < kFetchesA; ++i) {
    const uvec2 at = quad_position(gl_LocalInvocationIndex + i * kThreads, !kTransposeA, kTileM);
    next_a[i] = fetch_floats(kType0, a, at.x, at.y, (kOptions & kAlignedA) != 0);
  }
  [[unroll]] for (uint i = 0; i < kFetchesB; ++i) {
    const uvec2 at = quad_position(gl_LocalInvocationIndex + i * kThreads, kTransposeB, kTileN);
    next_b[i] = fetch_floats(kType1, b, at.x, at.y, (kOptions & kAlignedB) != 0);
  }
}

#define STAGE(memory, stride, quad, along_k, extent, at)                                              \
  if ((at) < (extent) * kDepth / 4) {                                                                 \
    const uvec2 p = quad_position(at, along_k, extent);                                               \
    if (along_k) {                                                                                    \
      [[unroll]] for (uint e = 0; e < 4; ++e) memory[(p.y + e) * (stride) + p.x / 4][p.x % 4] = (quad)[e]; \
    } else {                                                                                          \
      memory[p.x * (stride) + p.y / 4] = quad;                                                        \
    }                                                                                                 \
  }

void stage() {
  [[unroll]] for (uint i = 0; i < kFetchesA; ++i) {
    STAGE(staged_a, kStrideA, next_a[i], !kTransposeA, kTileM, gl_LocalInvocationIndex + i * kThreads)
  }
  [[unroll]] for (uint i = 0; i < kFetchesB; ++i) {
    STAGE(staged_b, kStrideB, next_b[i], kTransposeB, kTileN, gl_LocalInvocationIndex + i * kThreads)
  }
}

void multiply(uint thread_m, uint thread_n) {
  [[unroll]] for (uint k = 0; k < kDepth; ++k) {
    vec4 a[kQuadsM], b[kQuadsN];
    [[unroll]] for (uint i = 0; i < kQuadsM; ++i) a[i] = staged_a[k * kStrideA + i * kThreadsM + thread_m];
    [[unroll]] for (uint j = 0; j < kQuadsN; ++j) b[j] = staged_b[k * kStrideB + j * kThreadsN + thread_n];
    [[unroll]] for (uint i = 0; i < kQuadsM * 4; ++i) {
      [[unroll]] for (uint j = 0; j < kQuadsN; ++j) sums[i][j] += a[i / 4][i % 4] * b[j];
    }
  }
}

// Where quad i of the rows and of the columns of an invocation begins in the tile.
uint quad_row(uint i, uvec2 thread) { return (i * kThreadsM + thread.x) * 4; }
uint quad_column(uint j, uvec2 thread) { return (j * kThreadsN + thread.y) * 4; }

// Four steps of k without shared memory.
void multiply_directly(Tile tile, uint k, uvec2 thread) {
  const Source a = source_a(tile, k), b = source_b(tile, k);
  vec4 left[kQuadsM * 4], right[kQuadsN * 4];
  [[unroll]] for (uint i = 0; i < kQuadsM * 4; ++i) {
    const uint row = quad_row(i / 4, thread);
    left[i] = kTransposeA ? fetch_floats(kType0, a, i % 4, row, (kOptions & kAlignedA) != 0)
                          : fetch_floats(kType0, a, row + i % 4, 0, (kOptions & kAlignedA) != 0);
  }
  [[unroll]] for (uint j = 0; j < kQuadsN * 4; ++j) {
    const uint column = quad_column(j / 4, thread);
    right[j] = kTransposeB ? fetch_floats(kType1, b, column + j % 4, 0, (kOptions & kAlignedB) != 0)
                           : fetch_floats(kType1, b, j % 4, column, (kOptions & kAlignedB) != 0);
  }
  [[unroll]] for (uint step = 0; step < 4; ++step) {
    [[unroll]] for (uint i = 0; i < kQuadsM * 4; ++i) {
      [[unroll]] for (uint j = 0; j < kQuadsN; ++j) {
        sums[i][j] += (kTransposeA ? left[i / 4 * 4 + step][i % 4] : left[i][step]) *
                      (kTransposeB ? vec4(right[j * 4][step], right[j * 4 + 1][step], right[j * 4 + 2][step],
                                          right[j * 4 + 3][step])
                                   : right[j * 4 + step]);
      }
    }
  }
}

void main() {
  const Tile tile = find_tile(kTileM, kTileN);
  // A single row of invocations makes a's elements the same for all: a CPU then loads them once.
  const uvec2 thread = kThreadsM == 1 ? uvec2(0, gl_LocalInvocationIndex)
                                      : uvec2(gl_LocalInvocationIndex / kThreadsN, gl_LocalInvocationIndex % kThreadsN);
  [[unroll]] for (uint i = 0; i < kQuadsM * 4; ++i) {
    [[unroll]] for (uint j = 0; j < kQuadsN; ++j) sums[i][j] = vec4(0.0);
  }
  if (kLoadsDirectly) {
    for (uint k = tile.begin; k < tile.end; k += 4) multiply_directly(tile, k, thread);
  } else {
    if (tile.begin < tile.end) fetch(tile, tile.begin);
    for (uint k = tile.begin; k < tile.end; k += kDepth) {
      barrier();
      stage();
      barrier();
      if (k + kDepth < tile.end) fetch(tile, k + kDepth);
      multiply(thread.x, thread.y);
    }
  }

  // One copy of the epilogue: a loop picks its quads by comparison, because an index would move the sums to memory.
  const Target target = find_target(tile);
  [[dont_unroll]] for (uint at = 0; at < kQuadsM * 4 * kQuadsN; ++at) {
    vec4 quad = sums[0][0];
    [[unroll]] for (uint i = 0; i < kQuadsM * 4; ++i) {
      [[unroll]] for (uint j = 0; j < kQuadsN; ++j) quad = at == i * kQuadsN + j ? sums[i][j] : quad;
    }
    const uint row = at / kQuadsN, column = quad_column(at % kQuadsN, thread);
    [[dont_unroll]] for (uint e = 0; e < 4; ++e) {
      put_sum(target, (kOptions & kSplit) != 0, quad_row(row / 4, thread) + row % 4, column + e, quad[e]);
    }
  }
}
#endif

#ifdef KERNEL_matmul_split_sum
// Adds up the sums of the slices of k, in their order.
void main() {
  const uint m = uint(push.params.m), n = uint(push.params.n), batches = uint(push.params.batch);
  const uint batch = push.first_batch + gl_WorkGroupID.z;
  const uvec2 c = batch_address(kType2, push.c, push.params.c_batch_stride, batch);
  const uvec2 aux = batch_address(kType2, push.aux, push.params.c_batch_stride, batch);
  FOR_EACH(i, 0, m * n) {
    const uint row = i / n, column = i % n;
    float sum = 0.0;
    for (uint slice = 0; slice < push.slices; ++slice) {
      const uvec2 partial = element_address(kF32, push.partial, (slice * batches + batch) * m, n, 0);
      sum += uintBitsToFloat(Words(partial).at[i]);
    }
    finish(c, aux, row * uint(push.params.ldc) + column, column, sum);
  }
}
#endif
