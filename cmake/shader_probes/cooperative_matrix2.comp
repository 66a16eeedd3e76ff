#version 460
// Can the compiler do NVIDIA's second extension: workgroup scope, tensor layouts, a function for each element?
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_NV_cooperative_matrix2 : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0) in;
layout(constant_id = 8) const uint kSize = 64;
layout(buffer_reference, std430, buffer_reference_align = 2) buffer F16 { float16_t v[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer F32 { float v[]; };
layout(push_constant) uniform Push {
  F16 a;
  F16 b;
  F32 c;
} push;

float relu(const in uint row, const in uint column, const in float value) { return max(value, 0.0); }

void main() {
  tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> whole =
      createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
  whole = setTensorLayoutDimensionNV(whole, kSize, kSize);
  coopmat<float16_t, gl_ScopeWorkgroup, kSize, kSize, gl_MatrixUseA> a;
  coopmat<float16_t, gl_ScopeWorkgroup, kSize, kSize, gl_MatrixUseB> b;
  coopmat<float, gl_ScopeWorkgroup, kSize, kSize, gl_MatrixUseAccumulator> c =
      coopmat<float, gl_ScopeWorkgroup, kSize, kSize, gl_MatrixUseAccumulator>(0.0);
  coopMatLoadTensorNV(a, push.a.v, 0, sliceTensorLayoutNV(whole, 0, kSize, 0, kSize));
  coopMatLoadTensorNV(b, push.b.v, 0, sliceTensorLayoutNV(whole, 0, kSize, 0, kSize));
  c = coopMatMulAdd(a, b, c);
  coopMatPerElementNV(c, c, relu);
  coopMatStoreTensorNV(c, push.c.v, 0, sliceTensorLayoutNV(whole, 0, kSize, 0, kSize));
}
