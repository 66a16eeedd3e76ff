#include "backends/cuda/product_plan.h"

#include "amphora/core/error.h"
#include "backends/cuda/check.h"

namespace amphora::cuda {
namespace {

// A row-major matrix is the column-major one of its transpose, so c = a b is asked for as its transpose, b a.
LtShape transposed_shape(std::int32_t rows, std::int32_t columns, std::int32_t leading, std::int32_t batch,
                         std::int64_t batch_stride) {
  return {static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows), leading, batch, batch_stride};
}

std::string_view name_of(cublasLtEpilogue_t epilogue) {
  switch (epilogue) {
    case CUBLASLT_EPILOGUE_BIAS: return "cublaslt_bias";
    case CUBLASLT_EPILOGUE_RELU: return "cublaslt_relu";
    case CUBLASLT_EPILOGUE_RELU_BIAS: return "cublaslt_relu_bias";
    case CUBLASLT_EPILOGUE_GELU: return "cublaslt_gelu";
    case CUBLASLT_EPILOGUE_GELU_BIAS: return "cublaslt_gelu_bias";
    case CUBLASLT_EPILOGUE_GELU_AUX: return "cublaslt_gelu_aux";
    case CUBLASLT_EPILOGUE_GELU_AUX_BIAS: return "cublaslt_gelu_aux_bias";
    case CUBLASLT_EPILOGUE_DGELU: return "cublaslt_dgelu";
    case CUBLASLT_EPILOGUE_DGELU_BGRAD: return "cublaslt_dgelu_bgrad";
    default: return "cublaslt";
  }
}

// cuBLASLt's conditions for an auxiliary matrix.
bool takes_aux(const Problem& p) {
  return p.shape.ldc % 8 == 0 && p.shape.c_batch_stride % 8 == 0 && p.alignment[4] >= 16;
}

}  // namespace

std::optional<cublasLtEpilogue_t> epilogue_of(const Problem& p) {
  if (p.derivative) {
    // Its derivatives of other functions read bit masks, or do not exist.
    if (p.activation != Activation::gelu || p.has_bias || !takes_aux(p)) return {};
    // Its bias gradient has the result's type; elsewhere a kernel of ours makes it.
    const bool sums = p.bias_gradient && !p.adds_bias_gradient && p.shape.batch == 1 && p.result == DType::f32;
    return sums ? CUBLASLT_EPILOGUE_DGELU_BGRAD : CUBLASLT_EPILOGUE_DGELU;
  }
  switch (p.activation) {
    case Activation::none:
      if (p.has_aux) return {};
      return p.has_bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    case Activation::relu:
      if (p.has_aux) return {};  // aux takes numbers, not a bit mask
      return p.has_bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    case Activation::gelu:
      if (p.has_aux && !takes_aux(p)) return {};
      if (p.has_aux) return p.has_bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
      return p.has_bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    default: return {};
  }
}

bool is_possible(const Problem& problem, EpilogueMode mode) {
  return mode == EpilogueMode::fused ? epilogue_of(problem).has_value() : problem.has_epilogue();
}

ProductPlan::ProductPlan(const Problem& problem, EpilogueMode mode) : problem_(problem), epilogue_mode_(mode) {
  const MatmulParams& s = problem.shape;
  if (mode == EpilogueMode::fused) {
    const auto epilogue = epilogue_of(problem);
    require(epilogue.has_value(), "cuBLASLt has no epilogue for {}", problem.str());
    epilogue_ = *epilogue;
  }
  name_ = name_of(epilogue_);
  operation_ = make_operation(problem.tf32, problem.transpose_b, problem.transpose_a);
  set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_);
  if (problem.has_bias && mode == EpilogueMode::fused) {
    set(operation_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, data_type(problem.bias_type));
  }
  if (makes_bias_gradient()) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
  if (problem.has_aux && mode == EpilogueMode::fused) {
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, static_cast<std::int64_t>(s.ldc));
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE, static_cast<std::int64_t>(s.c_batch_stride));
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE, data_type(problem.result));
  }
  a_ = make_layout(problem.operand, transposed_shape(problem.transpose_b ? s.n : s.k, problem.transpose_b ? s.k : s.n,
                                                     s.ldb, s.batch, s.b_batch_stride));
  b_ = make_layout(problem.operand, transposed_shape(problem.transpose_a ? s.k : s.m, problem.transpose_a ? s.m : s.k,
                                                     s.lda, s.batch, s.a_batch_stride));
  // Bare sums are dense.
  c_ = mode == EpilogueMode::fused
           ? make_layout(problem.result, transposed_shape(s.m, s.n, s.ldc, s.batch, s.c_batch_stride))
           : make_layout(DType::f32, transposed_shape(s.m, s.n, s.n, s.batch, std::int64_t{s.m} * s.n));
}

bool ProductPlan::makes_bias_gradient() const { return epilogue_ == CUBLASLT_EPILOGUE_DGELU_BGRAD; }

void ProductPlan::bind(const Operands& o) const {
  if (epilogue_mode_ == EpilogueMode::fused && problem_.has_bias)
    set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, o.bias);
  if (makes_bias_gradient()) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, o.bias_gradient);
  if (epilogue_mode_ == EpilogueMode::fused && problem_.has_aux)
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, o.aux);
}

std::vector<Algorithm> ProductPlan::propose(cublasLtHandle_t handle, const Operands& operands,
                                            std::size_t workspace_bytes, int count) const {
  bind(operands);
  const LtPreference preference = make_preference(workspace_bytes);
  set_alignment(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, problem_.alignment[1]);
  set_alignment(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, problem_.alignment[0]);
  const std::uint32_t result = epilogue_mode_ == EpilogueMode::fused ? problem_.alignment[2] : 256;
  set_alignment(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, result);
  set_alignment(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, result);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(count));
  int returned = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, operation_.get(), a_.get(), b_.get(), c_.get(), c_.get(), preference.get(),
                                     count, found.data(), &returned);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return {};
  check(status, "asking cuBLASLt for algorithms");
  std::vector<Algorithm> result_list;
  for (int i = 0; i < returned; ++i) {
    const auto& proposal = found[static_cast<std::size_t>(i)];
    if (proposal.state == CUBLAS_STATUS_SUCCESS) result_list.push_back({proposal.algo, proposal.workspaceSize});
  }
  return result_list;
}

bool ProductPlan::accepts(cublasLtHandle_t handle, const Operands& operands, Algorithm& algorithm,
                          std::size_t workspace_bytes) const {
  bind(operands);
  cublasLtMatmulHeuristicResult_t result{};
  const cublasStatus_t status = cublasLtMatmulAlgoCheck(handle, operation_.get(), a_.get(), b_.get(), c_.get(),
                                                        c_.get(), &algorithm.algo, &result);
  if (status != CUBLAS_STATUS_SUCCESS || result.workspaceSize > workspace_bytes) return false;
  algorithm.workspace = result.workspaceSize;
  return true;
}

cublasStatus_t ProductPlan::run(cublasLtHandle_t handle, const Operands& o, void* workspace,
                                cudaStream_t stream) const {
  bind(o);
  return cublasLtMatmul(handle, operation_.get(), &o.alpha, o.b, a_.get(), o.a, b_.get(), &o.beta, o.c, c_.get(), o.c,
                        c_.get(), &algorithm_.algo, workspace, algorithm_.workspace, stream);
}

}  // namespace amphora::cuda
