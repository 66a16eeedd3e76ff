// Reductions over neighbouring lanes of a workgroup: those of a subgroup by a butterfly of shuffles, then the subgroups
// in order. The order is fixed by the sizes alone, and every lane gets the result.
//
//   LANES_REDUCTION(Type, name, join) defines  Type name(Type value, uint lanes)
//
// for `lanes` a power of two, at most the workgroup's. All invocations must get there, and `join` must not depend on
// the order of its operands.
#ifndef WORKGROUP_GLSL
#define WORKGROUP_GLSL

#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

// An invocation's place; Vulkan does not tie gl_LocalInvocationIndex to subgroups.
uint lane() { return gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID; }

#define LANES_REDUCTION(Type, name, join)                                                       \
  shared Type name##_of_subgroup[gl_WorkGroupSize.x];                                           \
  Type name(Type value, uint lanes) {                                                           \
    for (uint distance = min(lanes, gl_SubgroupSize) / 2; distance > 0; distance /= 2) {        \
      value = join(value, subgroupShuffleXor(value, distance));                                 \
    }                                                                                           \
    if (lanes <= gl_SubgroupSize) return value;                                                 \
    barrier(); /* the results of the last call have been read */                                \
    if (subgroupElect()) name##_of_subgroup[gl_SubgroupID] = value;                             \
    barrier();                                                                                  \
    const uint subgroups = lanes / gl_SubgroupSize;                                             \
    const uint first = gl_SubgroupID / subgroups * subgroups;                                   \
    value = name##_of_subgroup[first];                                                          \
    for (uint i = 1; i < subgroups; ++i) value = join(value, name##_of_subgroup[first + i]);    \
    return value;                                                                               \
  }

#endif
