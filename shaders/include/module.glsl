// What every module begins with: extensions, the host's specialization constants, and the shared parameter structures.
//
// A module's push constants are the addresses of the call's buffers, then its parameters. An address is a uvec2, so
// that no device needs 64-bit integers. Where all of that takes more than the 128 bytes that every device has, the host
// puts it into memory, and the module declares it by ARGUMENTS_IN_MEMORY.
#ifndef MODULE_GLSL
#define MODULE_GLSL

#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_16bit_storage : require

#define AM_STRUCT(name, members) struct name { members };
#define AM_INT(name) int name;
#define AM_UINT32(name) uint name;
#define AM_UINT32S(name) uint name[5];
#define AM_FLOAT(name) float name;
#define AM_FLOATS(name) float name[8];
#include "amphora/kernel/shared/params.def"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint kTraits = 0;  // some of these:
const bool kHardwareF16 = (kTraits & 1u) != 0;  // the driver's half conversions are exact, NaN aside
const bool kFar = (kTraits & 2u) != 0;          // an array of the call is so long that 32 bits don't address it
layout(constant_id = 2) const uint kFunction = 0;
layout(constant_id = 3) const uint kFlags = 0;
layout(constant_id = 4) const uint kType0 = 0;  // element types of the buffers, as in io.glsl
layout(constant_id = 5) const uint kType1 = 0;
layout(constant_id = 6) const uint kType2 = 0;
layout(constant_id = 7) const uint kType3 = 0;
layout(constant_id = 8) const uint kType4 = 0;
layout(constant_id = 9) const uint kType5 = 0;
layout(constant_id = 10) const uint kType6 = 0;
layout(constant_id = 11) const uint kType7 = 0;
layout(constant_id = 12) const uint kType8 = 0;
layout(constant_id = 13) const uint kType9 = 0;
layout(constant_id = 14) const uint kType10 = 0;
layout(constant_id = 15) const uint kType11 = 0;
// From 16 on: a shader's own.

// The members of a block that does not fit push constants, as `arguments.NAME`.
#define ARGUMENTS_IN_MEMORY(members)                                                               \
  layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Arguments { members }; \
  layout(push_constant, std430) uniform Push { Arguments arguments; };

// A loop over [begin, end) that any number of workgroups shares; neighbours in a workgroup take neighbouring elements.
#define FOR_EACH(i, begin, end)                                \
  for (uint i = (begin) + gl_GlobalInvocationID.x; i < (end); \
       i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)

#endif
