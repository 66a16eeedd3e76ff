// cuBLASLt's objects with an owner, so that none is leaked and every return code is looked at.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include <cublasLt.h>

#include "amphora/core/dtype.h"

namespace amphora::cuda {

// An object of cuBLASLt: made by `make`, destroyed by `destroy`.
template <class Object, cublasStatus_t (*destroy)(Object)>
struct Destroy {
  using pointer = Object;  // NOLINT(readability-identifier-naming): what std::unique_ptr looks for
  void operator()(Object object) const { destroy(object); }
};

using LtHandle = std::unique_ptr<std::remove_pointer_t<cublasLtHandle_t>, Destroy<cublasLtHandle_t, cublasLtDestroy>>;
using LtOperation =
    std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>>;
using LtLayout =
    std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>>;
using LtPreference = std::unique_ptr<cublasLtMatmulPreferenceOpaque_t,
                                     Destroy<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>>;

LtHandle make_handle();
// Computes in f32; operands of f32 are rounded to TF32 where that is asked for.
LtOperation make_operation(bool tf32, bool transpose_a, bool transpose_b);
// A column-major matrix, or a batch of them.
struct LtShape {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::int64_t leading = 0;
  std::int32_t batch = 1;
  std::int64_t batch_stride = 0;
};
LtLayout make_layout(DType type, const LtShape& shape);
// Algorithms that need no more workspace, and whose sums are in a fixed order and in f32: results repeat.
LtPreference make_preference(std::size_t workspace_bytes);

void set(const LtOperation& operation, cublasLtMatmulDescAttributes_t attribute, const void* value, std::size_t bytes);
template <class T>
void set(const LtOperation& operation, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  set(operation, attribute, &value, sizeof(value));
}
void set_alignment(const LtPreference& preference, cublasLtMatmulPreferenceAttributes_t attribute, std::uint32_t bytes);

cudaDataType_t data_type(DType type);

}  // namespace amphora::cuda
