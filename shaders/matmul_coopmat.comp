// matmul by cooperative matrices: 16-bit operands of one type, sums in f32.
//
// A workgroup computes a tile of c, each of its subgroups a part, in fragments of the device's own shape. Blocks of a
// and b go through shared memory as they are stored; a transposed operand is loaded from there by columns. While one
// block is multiplied, the next is on its way into registers. Where the host says so, fragments come straight from
// global memory instead: a CPU gains nothing from staging.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "module.glsl"
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#pragma use_vulkan_memory_model
#ifdef KERNEL_matmul_coopmat_f16  // needs cooperative_matrix
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define OPERAND float16_t
#endif
#ifdef KERNEL_matmul_coopmat_bf16  // needs cooperative_matrix bfloat16
#extension GL_EXT_bfloat16 : require
#define OPERAND bfloat16_t
#endif
#include "epilogue.glsl"

layout(constant_id = 18) const uint kM = 16;  // a fragment
layout(constant_id = 19) const uint kN = 16;
layout(constant_id = 20) const uint kK = 16;
layout(constant_id = 21) const uint kFragmentsM = 2;  // of a subgroup
layout(constant_id = 22) const uint kFragmentsN = 2;
layout(constant_id = 23) const uint kSubgroupsM = 1;  // of a workgroup
layout(constant_id = 24) const uint kSubgroupsN = 1;
layout(constant_id = 25) const uint kDepth = 32;   // of a block, in multiples of kK
layout(constant_id = 26) const uint kPadding = 8;  // elements behind a row in shared memory, against bank conflicts

const uint kPartM = kFragmentsM * kM, kPartN = kFragmentsN * kN;
const uint kTileM = kSubgroupsM * kPartM, kTileN = kSubgroupsN * kPartN;

// Blocks as they are stored, in units of eight elements.
const uint kRowsA = kTransposeA ? kDepth : kTileM, kColumnsA = (kTransposeA ? kTileM : kDepth) / 8;
const uint kRowsB = kTransposeB ? kTileN : kDepth, kColumnsB = (kTransposeB ? kDepth : kTileN) / 8;
const uint kStrideA = kColumnsA + kPadding / 8, kStrideB = kColumnsB + kPadding / 8;
const uint kStagedA = kRowsA * kStrideA, kStagedB = kRowsB * kStrideB;

// Sums pass through shared memory on their way out, a row of fragments at a time, in units of four.
const uint kStrideOut = kPartN / 4 + 1;
const uint kStripe = kM * kStrideOut;
const uint kStripes = kStripe * kSubgroupsM * kSubgroupsN;

shared uvec4 staged[kStagedA + kStagedB > kStripes ? kStagedA + kStagedB : kStripes];

const bool kLoadsDirectly = (kOptions & kDirect) != 0, kPrefetches = (kOptions & kPrefetch) != 0;

const uint kLanes = gl_WorkGroupSize.x / (kSubgroupsM * kSubgroupsN);
const uint kFetchesA = (kRowsA * kColumnsA + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;
const uint kFetchesB = (kRowsB * kColumnsB + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x;

uvec4 next_a[kFetchesA], next_b[kFetchesB];

void fetch(Tile tile, uint k) {
  const Source a = source_a(tile, k), b = source_b(tile, k);
  [[unroll]] for (uint i = 0; i < kFetchesA; ++i) {
    const uint at = gl_LocalInvocationIndex + i * gl_WorkGroupSize.x;
    next_a[i] = fetch_halves(a, at / kColumnsA, at % kColumnsA * 8, (kOptions & kAlignedA) != 0);
  }
  [[unroll]] for (uint i = 0; i < kFetchesB; ++i) {
    const uint at = gl_LocalInvocationIndex + i * gl_WorkGroupSize.x;
    next_b[i] = fetch_halves(b, at / kColumnsB, at % kColumnsB * 8, (kOptions & kAlignedB) != 0);
  }
}

void stage() {
  [[unroll]] for (uint i = 0; i < kFetchesA; ++i) {
    const uint at = gl_LocalInvocationIndex + i * gl_WorkGroupSize.x;
    if (at < kRowsA * kColumnsA) staged[at / kColumnsA * kStrideA + at % kColumnsA] = next_a[i];
  }
  [[unroll]] for (uint i = 0; i < kFetchesB; ++i) {
    const uint at = gl_LocalInvocationIndex + i * gl_WorkGroupSize.x;
    if (at < kRowsB * kColumnsB) staged[kStagedA + at / kColumnsB * kStrideB + at % kColumnsB] = next_b[i];
  }
}

// Where a row of a, or a column of b, begins at step `k` in a block with `stride` uvec4 a row.
uint part_a(uint row, uint k, uint stride) { return kTransposeA ? k * stride + row / 8 : row * stride + k / 8; }
uint part_b(uint column, uint k, uint stride) {
  return kTransposeB ? column * stride + k / 8 : k * stride + column / 8;
}

// A macro, since no function takes both kinds of memory: the product of one step of kK, from blocks of uvec4.
#define MULTIPLY(memory_a, start_a, stride_a, memory_b, start_b, stride_b)                             \
  {                                                                                                    \
    coopmat<OPERAND, gl_ScopeSubgroup, kM, kK, gl_MatrixUseA> left[kFragmentsM];                       \
    coopmat<OPERAND, gl_ScopeSubgroup, kK, kN, gl_MatrixUseB> right[kFragmentsN];                      \
    [[unroll]] for (uint i = 0; i < kFragmentsM; ++i) {                                                \
      const uint at = (start_a) + part_a(i * kM, 0, stride_a);                                         \
      if (kTransposeA) {                                                                               \
        coopMatLoad(left[i], memory_a, at, stride_a, gl_CooperativeMatrixLayoutColumnMajor);           \
      } else {                                                                                         \
        coopMatLoad(left[i], memory_a, at, stride_a, gl_CooperativeMatrixLayoutRowMajor);              \
      }                                                                                                \
    }                                                                                                  \
    [[unroll]] for (uint j = 0; j < kFragmentsN; ++j) {                                                \
      const uint at = (start_b) + part_b(j * kN, 0, stride_b);                                         \
      if (kTransposeB) {                                                                               \
        coopMatLoad(right[j], memory_b, at, stride_b, gl_CooperativeMatrixLayoutColumnMajor);          \
      } else {                                                                                         \
        coopMatLoad(right[j], memory_b, at, stride_b, gl_CooperativeMatrixLayoutRowMajor);             \
      }                                                                                                \
    }                                                                                                  \
    [[unroll]] for (uint i = 0; i < kFragmentsM; ++i) {                                                \
      [[unroll]] for (uint j = 0; j < kFragmentsN; ++j) {                                              \
        sums[i][j] = coopMatMulAdd(left[i], right[j], sums[i][j]);                                     \
      }                                                                                                \
    }                                                                                                  \
  }

void main() {
  const Tile tile = find_tile(kTileM, kTileN);
  const uint row = gl_SubgroupID / kSubgroupsN * kPartM, column = gl_SubgroupID % kSubgroupsN * kPartN;
  coopmat<float, gl_ScopeSubgroup, kM, kN, gl_MatrixUseAccumulator> sums[kFragmentsM][kFragmentsN];
  [[unroll]] for (uint i = 0; i < kFragmentsM; ++i) {
    [[unroll]] for (uint j = 0; j < kFragmentsN; ++j) {
      sums[i][j] = coopmat<float, gl_ScopeSubgroup, kM, kN, gl_MatrixUseAccumulator>(0.0);
    }
  }

  if (kLoadsDirectly) {
    const uint stride_a = uint(push.params.lda) / 8, stride_b = uint(push.params.ldb) / 8;
    const uint start_a = part_a(row, 0, stride_a), start_b = part_b(column, 0, stride_b);
    for (uint k = tile.begin; k < tile.end; k += kK) {
      const uvec2 a = source_a(tile, k).address, b = source_b(tile, k).address;
      MULTIPLY(WordQuads(a).at, start_a, stride_a, WordQuads(b).at, start_b, stride_b)
    }
  } else {
    if (kPrefetches && tile.begin < tile.end) fetch(tile, tile.begin);
    for (uint k = tile.begin; k < tile.end; k += kDepth) {
      if (!kPrefetches) fetch(tile, k);
      barrier();
      stage();
      barrier();
      if (kPrefetches && k + kDepth < tile.end) fetch(tile, k + kDepth);
      [[unroll]] for (uint step = 0; step < kDepth; step += kK) {
        MULTIPLY(staged, part_a(row, step, kStrideA), kStrideA, staged, kStagedA + part_b(column, step, kStrideB),
                 kStrideB)
      }
    }
  }

  const Target target = find_target(tile);
  const uint stripe = gl_SubgroupID * kStripe;
  [[unroll]] for (uint i = 0; i < kFragmentsM; ++i) {
    barrier();
    [[unroll]] for (uint j = 0; j < kFragmentsN; ++j) {
      coopMatStore(sums[i][j], staged, stripe + j * kN / 4, kStrideOut, gl_CooperativeMatrixLayoutRowMajor);
    }
    barrier();
    [[dont_unroll]] for (uint at = gl_SubgroupInvocationID; at < kM * kPartN; at += kLanes) {
      const uint r = at / kPartN, c = at % kPartN;
      const float sum = uintBitsToFloat(staged[stripe + r * kStrideOut + c / 4][c % 4]);
      put_sum(target, (kOptions & kSplit) != 0, row + i * kM + r, column + c, sum);
    }
  }
}
