// What every kernel of a product shares: its push constants, and which part of c a workgroup computes.
#ifndef MATMUL_GLSL
#define MATMUL_GLSL

#include "tile.glsl"

layout(push_constant, std430) uniform Push {
  uvec2 a, b, c, bias, aux;
  MatmulParams params;
  uvec2 partial;     // sums of slices of k in f32, each batch x m x n without gaps
  uint first_tile;   // of this dispatch
  uint first_batch;  // likewise
  uint depth;        // of a slice of k
  uint slices;
} push;

const bool kTransposeA = (kFlags & 1u) != 0;
const bool kTransposeB = (kFlags & 2u) != 0;
const bool kDerivative = (kFlags & 4u) != 0;

layout(constant_id = 17) const uint kOptions = 0;  // some of these:
const uint kSplit = 1;      // slices of k go to `partial`
const uint kAlignedA = 2;   // wide loads are possible
const uint kAlignedB = 4;
const uint kDirect = 8;     // no shared memory; fragments are loaded whole, so tiles cover c, and they k, without rest
const uint kPrefetch = 16;  // a block is fetched while the one before is multiplied

struct Tile {
  uint row, column, batch, slice;
  uint begin, end;  // of k
};

// Workgroups that run at the same time share rows of a and columns of b in the cache when they form a block of tiles:
// tiles are numbered down `kBand` rows, then on to the next column.
const uint kBand = 8;

Tile find_tile(uint rows, uint columns) {
  const uint m = uint(push.params.m), n = uint(push.params.n);
  const uint tiles_m = (m + rows - 1) / rows, tiles_n = (n + columns - 1) / columns;
  const uint index = push.first_tile + gl_WorkGroupID.x;
  const uint band = index / (kBand * tiles_n), inside = index % (kBand * tiles_n);
  const uint height = min(kBand, tiles_m - band * kBand);
  const uint slice = gl_WorkGroupID.y;
  return Tile((band * kBand + inside % height) * rows, inside / height * columns,
              push.first_batch + gl_WorkGroupID.z, slice, min(slice * push.depth, uint(push.params.k)),
              min((slice + 1) * push.depth, uint(push.params.k)));
}

uvec2 batch_address(uint type, uvec2 address, int stride, uint batch) {
  return element_address(type, address, batch, uint(stride), 0);
}

// a from (row, k) on and b from (k, column) on, as they are stored: transposed where the flags say so.
Source source_a(Tile tile, uint k) {
  const uvec2 matrix = batch_address(kType0, push.a, push.params.a_batch_stride, tile.batch);
  const uint stride = uint(push.params.lda), rows = uint(push.params.m) - tile.row, depth = tile.end - k;
  if (kTransposeA) return Source(element_address(kType0, matrix, k, stride, tile.row), stride, depth, rows);
  return Source(element_address(kType0, matrix, tile.row, stride, k), stride, rows, depth);
}

Source source_b(Tile tile, uint k) {
  const uvec2 matrix = batch_address(kType1, push.b, push.params.b_batch_stride, tile.batch);
  const uint stride = uint(push.params.ldb), columns = uint(push.params.n) - tile.column, depth = tile.end - k;
  if (kTransposeB) return Source(element_address(kType1, matrix, tile.column, stride, k), stride, columns, depth);
  return Source(element_address(kType1, matrix, k, stride, tile.column), stride, depth, columns);
}

#endif
