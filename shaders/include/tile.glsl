// Blocks of row-major matrices: where they lie, and how their elements come into registers.
//
// A matrix may have more than 2^32 elements, so the address of a block is computed in 64 bits, as a uvec2; offsets
// inside a block have 32, unless the matrix is a far one: then each row is addressed. Whatever lies beyond the matrix is read from its last row or column and replaced by 0, so
// that no load depends on a branch and none leaves the matrix.
#ifndef TILE_GLSL
#define TILE_GLSL

#include "io.glsl"

// A matrix from the origin of a block on.
struct Source {
  uvec2 address;
  uint stride;
  uint rows;     // of the matrix, from the origin on: at least 1
  uint columns;  // likewise
};

// How many of `count` elements from (row, column) on lie in the matrix.
uint elements_inside(Source source, uint row, uint column, uint count) {
  return row < source.rows && column < source.columns ? min(count, source.columns - column) : 0;
}

// Moves a far matrix on to a row; returns where the row starts from there.
uint row_start(uint type, inout Source source, uint row) {
  const uint inside = min(row, source.rows - 1);
  if (!kFar) return inside * source.stride;
  source.address = element_address(type, source.address, inside, source.stride, 0);
  return 0;
}

// Eight 16-bit elements as they are stored; `column` is a multiple of 8. An aligned source begins at, and has a stride
// of, a multiple of 16 bytes.
uvec4 fetch_halves(Source source, uint row, uint column, bool aligned) {
  const uint inside = elements_inside(source, row, column, 8);
  const uint start = row_start(kF16, source, row);
  uvec4 result;
  if (aligned) {
    result = WordQuads(source.address).at[(start + min(column, (source.columns - 1) & ~7u)) / 8];
  } else {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
      const uint first = min(column + 2 * i, source.columns - 1);
      const uint second = min(column + 2 * i + 1, source.columns - 1);
      Halves halves = Halves(source.address);
      result[i] = uint(halves.at[start + first]) | uint(halves.at[start + second]) << 16;
    }
  }
  if (inside < 8) {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
      const uint kept = clamp(int(inside) - int(2 * i), 0, 2);
      result[i] &= kept == 2 ? ~0u : kept * 0xFFFFu;
    }
  }
  return result;
}

// Four elements of any type in f32; `column` is a multiple of 4. An aligned source begins at, and has a stride of, a
// multiple of four elements.
vec4 fetch_floats(uint type, Source source, uint row, uint column, bool aligned) {
  const uint inside = elements_inside(source, row, column, 4);
  const uint start = row_start(type, source, row);
  vec4 result;
  if (aligned) {
    result = load4(type, source.address, (start + min(column, (source.columns - 1) & ~3u)) / 4);
  } else {
    [[unroll]] for (uint i = 0; i < 4; ++i) {
      result[i] = load(type, source.address, start + min(column + i, source.columns - 1));
    }
  }
  [[unroll]] for (uint i = 0; i < 4; ++i) result[i] = i < inside ? result[i] : 0.0;
  return result;
}

#endif
