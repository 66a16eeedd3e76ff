// State that lives on the device, see kernel/shared/params.def.
#ifndef STATE_GLSL
#define STATE_GLSL

#include "module.glsl"

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Scaler { ScalerState state; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Stats { GradientStats state; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Group { GroupState state; };

#endif
