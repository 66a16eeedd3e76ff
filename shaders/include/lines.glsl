// The lines of [outer, extent, inner] along the middle, as workgroups take them.
//
// Memory is read in its order: `columns` neighbouring lanes take neighbours of the inner axis, `row_lanes` groups of
// them share a line, and what lanes are left take further places of the outer axis.
#ifndef LINES_GLSL
#define LINES_GLSL

#include "module.glsl"

struct LineTiling {
  uint columns;
  uint row_lanes;  // a power of two
  uint parts;      // of a line, each for another workgroup
  uint part_rows;
};

struct Line {
  bool exists;
  uint column;  // of the inner axis
  uint outer;
  uint row_lane;
  uint part;
};

uint outers_at_once(LineTiling cut) { return gl_WorkGroupSize.x / (cut.columns * cut.row_lanes); }
uint blocks_of(uint size, uint block) { return size / block + (size % block != 0 ? 1 : 0); }

uint tiles_of(LineTiling cut, uint outer, uint inner) {
  return blocks_of(inner, cut.columns) * cut.parts * blocks_of(outer, outers_at_once(cut));
}

// A loop that takes all invocations of a workgroup along.
#define FOR_EACH_TILE(tile, tiles) for (uint tile = gl_WorkGroupID.x; tile < (tiles); tile += gl_NumWorkGroups.x)

// The line, or the part of one, that this invocation works on.
Line line_of(LineTiling cut, uint tile, uint outer, uint inner) {
  const uint column_blocks = blocks_of(inner, cut.columns);
  const uint group = gl_LocalInvocationIndex / cut.columns;
  Line line;
  line.column = tile % column_blocks * cut.columns + gl_LocalInvocationIndex % cut.columns;
  tile /= column_blocks;
  line.part = tile % cut.parts;
  line.outer = tile / cut.parts * outers_at_once(cut) + group / cut.row_lanes;
  line.row_lane = group % cut.row_lanes;
  line.exists = line.column < inner && line.outer < outer && group / cut.row_lanes < outers_at_once(cut);
  return line;
}

// Joins the lanes of each line; row lane 0 has the result at its own place. Lanes that are left over by the cut must not
// reach past the end.
#define JOIN_ROW_LANES(shared_values, row_lane, cut, join)                                                  \
  barrier();                                                                                                \
  for (uint reach = (cut).row_lanes / 2; reach > 0; reach /= 2) {                                           \
    if ((row_lane) < reach && gl_LocalInvocationIndex + reach * (cut).columns < gl_WorkGroupSize.x) {       \
      shared_values[gl_LocalInvocationIndex] =                                                              \
          join(shared_values[gl_LocalInvocationIndex],                                                      \
               shared_values[gl_LocalInvocationIndex + reach * (cut).columns]);                             \
    }                                                                                                       \
    barrier();                                                                                              \
  }

#endif
