// Rows that a few neighbouring lanes share, so that short rows leave no lane idle and long ones have a whole workgroup.
#ifndef ROWS_GLSL
#define ROWS_GLSL

#include "io.glsl"
#include "workgroup.glsl"

layout(constant_id = 16) const uint kLanes = 1;  // of a row: a power of two

uint rows_at_once() { return gl_WorkGroupSize.x / kLanes; }

// A loop that takes all lanes of a workgroup along, past the last row too: `row` may lie beyond it.
#define FOR_EACH_ROW(row, rows)                                                                          \
  for (uint first_row = gl_WorkGroupID.x * rows_at_once(), row = first_row + lane() / kLanes; first_row < (rows); \
       first_row += gl_NumWorkGroups.x * rows_at_once(), row += gl_NumWorkGroups.x * rows_at_once())

// A lane's columns of a row; none beyond the last row.
#define FOR_EACH_COLUMN(column, columns) for (uint column = lane() % kLanes; column < (columns); column += kLanes)

float larger(float a, float b) { return a < b ? b : a; }
float sum_of_two(float a, float b) {
  precise float sum = a + b;
  return sum;
}
LANES_REDUCTION(float, largest_in_row, larger)
LANES_REDUCTION(float, sum_in_row, sum_of_two)

#endif
