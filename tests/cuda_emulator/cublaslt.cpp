// The functions of cuBLASLt that choose and run: products are checked as the library's documentation has it.
#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda_emulator/context.h"
#include "cuda_emulator/cublaslt_objects.h"
#include "cuda_emulator/emulator.h"
#include "cuda_emulator/machine.h"
#include "cuda_emulator/streams.h"

namespace amphora::emulator {
namespace {

constexpr std::uint64_t kMark = 0x616D'7068'6F72'6100;  // in every algorithm of this library
constexpr std::uintptr_t kWide = 16;
constexpr std::size_t kTouched = 4096;  // bytes of a workspace

ProductCounts counts;
ProductTime product_time;

cublasLtMatmulAlgo_t algorithm(int id) {
  cublasLtMatmulAlgo_t result{};
  result.data[0] = kMark | static_cast<std::uint64_t>(id);
  return result;
}

// -1: none of this library's.
int id_of(const cublasLtMatmulAlgo_t& algo) {
  const auto id = static_cast<int>(algo.data[0] & 0xFF);
  return (algo.data[0] & ~std::uint64_t{0xFF}) == kMark && id < kAlgorithms ? id : -1;
}

double default_time(const Product& p, int id) {
  constexpr double kStart = 2000.0;
  constexpr double kMultiplyAdds = 100.0;  // a nanosecond, by algorithm 0
  const auto work = static_cast<double>(p.d.rows) * static_cast<double>(p.d.columns) * p.d.batch *
                    static_cast<double>(p.transpose_a ? p.a.rows : p.a.columns);
  return kStart - 100.0 * id + work / kMultiplyAdds / (id + 1);
}

const Matrix& matrix_of(cublasLtMatrixLayout_t layout) { return static_cast<Layout*>(layout)->matrix; }

Product product_of(const Operation& operation, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                   cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  Product p{.a = matrix_of(a), .b = matrix_of(b), .c = matrix_of(c), .d = matrix_of(d)};
  const Attributes& is = operation.attributes;
  p.transpose_a = is.get(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N) != CUBLAS_OP_N;
  p.transpose_b = is.get(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N) != CUBLAS_OP_N;
  p.tf32 = operation.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  p.epilogue = is.get<unsigned>(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
  p.bias = is.get<void*>(CUBLASLT_MATMUL_DESC_BIAS_POINTER, nullptr);
  p.bias_type = is.get(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, p.d.type);
  p.bias_stride = is.get<std::int64_t>(CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, 0);
  p.aux = is.get<void*>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, nullptr);
  p.aux_type = is.get(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE, p.d.type);
  p.aux_leading = is.get<std::int64_t>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, 0);
  p.aux_stride = is.get<std::int64_t>(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE, 0);
  return p;
}

bool uses_bias(unsigned epilogue) {
  constexpr unsigned kGradient = 16;
  return (epilogue & (CUBLASLT_EPILOGUE_BIAS | kGradient | CUBLASLT_EPILOGUE_BGRADA | CUBLASLT_EPILOGUE_BGRADB)) != 0;
}
bool uses_aux(unsigned epilogue) { return (epilogue & 128u) != 0; }

bool is_known(unsigned epilogue) {
  switch (epilogue) {
    case CUBLASLT_EPILOGUE_DEFAULT:
    case CUBLASLT_EPILOGUE_BIAS:
    case CUBLASLT_EPILOGUE_RELU:
    case CUBLASLT_EPILOGUE_RELU_BIAS:
    case CUBLASLT_EPILOGUE_GELU:
    case CUBLASLT_EPILOGUE_GELU_BIAS:
    case CUBLASLT_EPILOGUE_GELU_AUX:
    case CUBLASLT_EPILOGUE_GELU_AUX_BIAS:
    case CUBLASLT_EPILOGUE_DGELU:
    case CUBLASLT_EPILOGUE_DGELU_BGRAD:
    case CUBLASLT_EPILOGUE_BGRADA:
    case CUBLASLT_EPILOGUE_BGRADB: return true;
    default: return false;
  }
}

// Whether the shapes fit together.
bool is_consistent(const Product& p) {
  const auto is_matrix = [&p](const Matrix& m) {
    return m.rows > 0 && m.columns > 0 && m.leading >= static_cast<std::int64_t>(m.rows) && m.batch == p.d.batch;
  };
  if (!is_matrix(p.a) || !is_matrix(p.b) || !is_matrix(p.c) || !is_matrix(p.d)) return false;
  const auto [a_rows, a_columns] = p.transpose_a ? std::pair(p.a.columns, p.a.rows) : std::pair(p.a.rows, p.a.columns);
  const auto [b_rows, b_columns] = p.transpose_b ? std::pair(p.b.columns, p.b.rows) : std::pair(p.b.rows, p.b.columns);
  return a_columns == b_rows && p.d.rows == a_rows && p.d.columns == b_columns && p.c.rows == p.d.rows &&
         p.c.columns == p.d.columns;
}

bool is_float(cudaDataType_t type) { return type == CUDA_R_32F || type == CUDA_R_16F || type == CUDA_R_16BF; }

bool types_are_supported(const Operation& operation, const Product& p) {
  const Machine here = machine();
  if (operation.scale != CUDA_R_32F || !is_float(p.a.type) || p.a.type != p.b.type || p.c.type != p.d.type)
    return false;
  if (p.d.type != p.a.type && p.d.type != CUDA_R_32F) return false;
  if (operation.compute != CUBLAS_COMPUTE_32F && !(p.tf32 && p.a.type == CUDA_R_32F)) return false;
  return here.major >= 8 || (p.a.type != CUDA_R_16BF && !p.tf32);
}

// The types of bias and aux are d's, as the table of cublasLtMatmul()'s documentation has it.
bool epilogue_is_supported(const Product& p) {
  if (!is_known(p.epilogue)) return false;
  if (uses_bias(p.epilogue) && p.bias_type != p.d.type) return false;
  if (!uses_aux(p.epilogue)) return true;
  constexpr std::int64_t kUnit = 8;
  return p.aux_type == p.d.type && p.aux_leading % kUnit == 0 && p.aux_stride % kUnit == 0 &&
         p.aux_leading >= static_cast<std::int64_t>(p.d.rows) && reinterpret_cast<std::uintptr_t>(p.aux) % kWide == 0;
}

cublasStatus_t status_of(const Operation& operation, const Product& p) {
  if (!is_consistent(p)) return CUBLAS_STATUS_INVALID_VALUE;
  return types_are_supported(operation, p) && epilogue_is_supported(p) ? CUBLAS_STATUS_SUCCESS
                                                                       : CUBLAS_STATUS_NOT_SUPPORTED;
}

// A bias, or the gradient of one, is read or written in 16 bytes by the algorithms that want matrices so aligned. Real
// heuristics, too, go by the address that they are shown.
bool bias_is_wide(const Product& p) {
  return !uses_bias(p.epilogue) || reinterpret_cast<std::uintptr_t>(p.bias) % kWide == 0;
}

// Whether every column of every matrix begins at a multiple of 16 bytes, if the first one does.
bool columns_are_wide(const Product& p) {
  for (const Matrix& m : {p.a, p.b, p.c, p.d}) {
    const auto unit = static_cast<std::int64_t>(kWide / size_of(m.type));
    if (m.leading % unit != 0 || (m.batch > 1 && m.batch_stride % unit != 0)) return false;
  }
  return true;
}

cublasLtMatmulHeuristicResult_t result_of(int id) {
  cublasLtMatmulHeuristicResult_t result{};
  result.algo = algorithm(id);
  result.workspaceSize = kAlgorithmTraits[id].workspace;
  result.state = CUBLAS_STATUS_SUCCESS;
  result.wavesCount = 1.0f;
  return result;
}

}  // namespace

ProductCounts product_counts() { return counts; }
void set_product_time(ProductTime time) { product_time = std::move(time); }

}  // namespace amphora::emulator

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace): this file is part of it

extern "C" {

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t results[], int* returned) {
  ++counts.heuristics;
  *returned = 0;
  if (requested <= 0) return CUBLAS_STATUS_INVALID_VALUE;
  const Operation& what = *static_cast<Operation*>(operation);
  const Product p = product_of(what, a, b, c, d);
  if (const cublasStatus_t status = status_of(what, p); status != CUBLAS_STATUS_SUCCESS) return status;
  const Attributes& wish = static_cast<Preference*>(preference)->attributes;
  constexpr std::uint32_t kDefaultAlignment = 256;
  bool wide = columns_are_wide(p) && bias_is_wide(p);
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    wide = wide && wish.get(attribute, kDefaultAlignment) % kWide == 0;
  }
  const auto workspace = wish.get<std::uint64_t>(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 0);
  const auto schemes =
      wish.get<std::uint32_t>(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, CUBLASLT_REDUCTION_SCHEME_MASK);
  for (int id = 0; id < kAlgorithms && *returned < requested; ++id) {
    const AlgorithmTraits& traits = kAlgorithmTraits[id];
    if (traits.workspace > workspace || (traits.wants_aligned && !wide)) continue;
    if (traits.pieces > 1 && (schemes & CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE) == 0) continue;
    results[(*returned)++] = result_of(id);
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                                       cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                       const cublasLtMatmulAlgo_t* algo, cublasLtMatmulHeuristicResult_t* result) {
  ++counts.checks;
  const int id = id_of(*algo);
  if (id < 0) return CUBLAS_STATUS_INVALID_VALUE;
  const Operation& what = *static_cast<Operation*>(operation);
  const Product p = product_of(what, a, b, c, d);
  if (const cublasStatus_t status = status_of(what, p); status != CUBLAS_STATUS_SUCCESS) return status;
  if (kAlgorithmTraits[id].wants_aligned && !(columns_are_wide(p) && bias_is_wide(p))) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  *result = result_of(id);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t operation, const void* alpha, const void* a_data,
                              cublasLtMatrixLayout_t a, const void* b_data, cublasLtMatrixLayout_t b, const void* beta,
                              const void* c_data, cublasLtMatrixLayout_t c, void* d_data, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t* algo, void* workspace, std::size_t workspace_bytes,
                              cudaStream_t stream) {
  ++counts.products;
  const int id = algo == nullptr ? 0 : id_of(*algo);
  if (id < 0) return CUBLAS_STATUS_INVALID_VALUE;
  const Operation& what = *static_cast<Operation*>(operation);
  const Product p = product_of(what, a, b, c, d);
  if (const cublasStatus_t status = status_of(what, p); status != CUBLAS_STATUS_SUCCESS) return status;

  const AlgorithmTraits& traits = kAlgorithmTraits[id];
  const bool lacks_workspace = traits.workspace > 0 && (workspace == nullptr || workspace_bytes < traits.workspace);
  const bool lacks_pointer = (uses_bias(p.epilogue) && p.bias == nullptr) || (uses_aux(p.epilogue) && p.aux == nullptr);
  if (lacks_workspace || lacks_pointer) return CUBLAS_STATUS_INVALID_VALUE;
  const ProductPointers pointers{
      a_data, b_data, c_data, d_data, *static_cast<const float*>(alpha), *static_cast<const float*>(beta)};
  const auto begins_at = [](const void* data, std::uintptr_t unit) {
    return data != nullptr && reinterpret_cast<std::uintptr_t>(data) % unit == 0;
  };
  const auto all_begin_at = [&](std::uintptr_t unit) {
    return begins_at(a_data, unit) && begins_at(b_data, unit) && begins_at(d_data, unit) &&
           (pointers.beta == 0.0f || begins_at(c_data, unit));
  };
  if (!all_begin_at(size_of(p.a.type))) return CUBLAS_STATUS_INVALID_VALUE;
  if (traits.wants_aligned && !(columns_are_wide(p) && bias_is_wide(p) && all_begin_at(kWide))) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }

  const double time = product_time ? product_time(id, p.epilogue) : default_time(p, id);
  const auto work = [=] {
    // Products that wrongly share the workspace come out wrong.
    if (traits.workspace > 0) std::memset(workspace, 0xFF, std::min(traits.workspace, kTouched));
    multiply(p, pointers, traits.pieces);
    return true;
  };
  const cudaError_t status = put(stream, [work, time] { execute(work, time); });
  return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
