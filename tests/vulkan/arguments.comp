// Modules of tests/vulkan/arguments.cpp.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "io.glsl"

#ifdef KERNEL_weighted
ARGUMENTS_IN_MEMORY(
  uvec2 x;
  uvec2 y;
  float weights[40];
)

void main() {
  FOR_EACH(i, 0, 40) store(kF32, arguments.y, i, load(kF32, arguments.x, i) * arguments.weights[i]);
}
#endif
