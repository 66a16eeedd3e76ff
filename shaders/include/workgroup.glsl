// Reductions over a workgroup: the lanes of each subgroup by a butterfly of shuffles, then the subgroups in order. The
// order is fixed by the sizes of subgroup and workgroup, and every invocation gets the result.
//
//   WORKGROUP_REDUCTION(Type, name, join) defines  Type name(Type value)
//
// All invocations of a workgroup must get there. `join` must not depend on the order of its two operands.
#ifndef WORKGROUP_GLSL
#define WORKGROUP_GLSL

#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

#define WORKGROUP_REDUCTION(Type, name, join)                                \
  shared Type partial_of_##name[gl_WorkGroupSize.x];                         \
  Type name(Type value) {                                                    \
    for (uint distance = gl_SubgroupSize / 2; distance > 0; distance /= 2) { \
      value = join(value, subgroupShuffleXor(value, distance));              \
    }                                                                        \
    barrier(); /* the last reduction's partial results were read */          \
    if (subgroupElect()) partial_of_##name[gl_SubgroupID] = value;           \
    barrier();                                                               \
    value = partial_of_##name[0];                                            \
    for (uint i = 1; i < gl_NumSubgroups; ++i) value = join(value, partial_of_##name[i]); \
    return value;                                                            \
  }

#endif
