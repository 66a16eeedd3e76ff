#version 460
// Can the compiler do bfloat16 as the operands of cooperative matrices?
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_bfloat16 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_buffer_reference : require

layout(local_size_x_id = 0) in;
layout(constant_id = 8) const uint kSize = 16;
layout(buffer_reference, std430, buffer_reference_align = 2) buffer BF16 { bfloat16_t v[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer F32 { float v[]; };
layout(push_constant) uniform Push {
  BF16 a;
  BF16 b;
  F32 c;
} push;

void main() {
  coopmat<bfloat16_t, gl_ScopeSubgroup, kSize, kSize, gl_MatrixUseA> a;
  coopmat<bfloat16_t, gl_ScopeSubgroup, kSize, kSize, gl_MatrixUseB> b;
  coopmat<float, gl_ScopeSubgroup, kSize, kSize, gl_MatrixUseAccumulator> c =
      coopmat<float, gl_ScopeSubgroup, kSize, kSize, gl_MatrixUseAccumulator>(0.0);
  coopMatLoad(a, push.a.v, 0, kSize, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad(b, push.b.v, 0, kSize, gl_CooperativeMatrixLayoutColumnMajor);
  c = coopMatMulAdd(a, b, c);
  coopMatStore(c, push.c.v, 0, kSize, gl_CooperativeMatrixLayoutRowMajor);
}
