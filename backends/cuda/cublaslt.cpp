#include "backends/cuda/cublaslt.h"

#include "amphora/core/error.h"
#include "backends/cuda/check.h"

namespace amphora::cuda {
namespace {

template <class T>
void set(const LtLayout& layout, cublasLtMatrixLayoutAttribute_t attribute, const T& value) {
  check(cublasLtMatrixLayoutSetAttribute(layout.get(), attribute, &value, sizeof(value)), "describing a matrix");
}

template <class T>
void set(const LtPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)),
        "saying which products are wanted");
}

}  // namespace

LtHandle make_handle() {
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "starting cuBLASLt");
  return LtHandle(handle);
}

LtOperation make_operation(bool tf32, bool transpose_a, bool transpose_b) {
  cublasLtMatmulDesc_t made = nullptr;
  check(cublasLtMatmulDescCreate(&made, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
        "describing a product");
  LtOperation operation(made);
  const auto transposed = [](bool yes) { return yes ? CUBLAS_OP_T : CUBLAS_OP_N; };
  set(operation, CUBLASLT_MATMUL_DESC_TRANSA, transposed(transpose_a));
  set(operation, CUBLASLT_MATMUL_DESC_TRANSB, transposed(transpose_b));
  return operation;
}

LtLayout make_layout(DType type, const LtShape& shape) {
  cublasLtMatrixLayout_t made = nullptr;
  check(cublasLtMatrixLayoutCreate(&made, data_type(type), shape.rows, shape.columns, shape.leading),
        "describing a matrix");
  LtLayout layout(made);
  set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, shape.batch);
  set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, shape.batch_stride);
  return layout;
}

LtPreference make_preference(std::size_t workspace_bytes) {
  cublasLtMatmulPreference_t made = nullptr;
  check(cublasLtMatmulPreferenceCreate(&made), "saying which products are wanted");
  LtPreference preference(made);
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(workspace_bytes));
  // Where a sum is split, its parts are added in f32 by a second pass; the other schemes add in the result's type.
  constexpr std::uint32_t kSchemes = CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, kSchemes);
  return preference;
}

void set(const LtOperation& operation, cublasLtMatmulDescAttributes_t attribute, const void* value, std::size_t bytes) {
  check(cublasLtMatmulDescSetAttribute(operation.get(), attribute, value, bytes), "describing a product");
}

void set_alignment(const LtPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute,
                   std::uint32_t bytes) {
  set(preference, attribute, bytes);
}

cudaDataType_t data_type(DType type) {
  switch (type) {
    case DType::f32: return CUDA_R_32F;
    case DType::f16: return CUDA_R_16F;
    case DType::bf16: return CUDA_R_16BF;
    default: fail("cuBLASLt multiplies no {}", name_of(type));
  }
}

}  // namespace amphora::cuda
