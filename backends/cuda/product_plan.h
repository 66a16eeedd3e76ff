// A plan: how cuBLASLt runs one problem, with all that it needs ready made.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "backends/cuda/cublaslt.h"
#include "backends/cuda/problem.h"

namespace amphora::cuda {

// Where the epilogue runs: in cuBLASLt, or in a kernel of our own over the f32 sums of a bare product.
enum class EpilogueMode : std::uint8_t { fused, separate };
constexpr std::string_view name_of(EpilogueMode mode) { return mode == EpilogueMode::fused ? "fused" : "separate"; }

// cuBLASLt's epilogue for a problem; empty where it has none.
std::optional<cublasLtEpilogue_t> epilogue_of(const Problem& problem);

// Whether a product can run so: a bare one needs no kernel of ours.
bool is_possible(const Problem& problem, EpilogueMode mode);

struct Algorithm {
  cublasLtMatmulAlgo_t algo{};
  std::size_t workspace = 0;  // bytes
};

// The memory of one product. c and what the epilogue writes may be scratch.
struct Operands {
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  const void* bias = nullptr;
  void* aux = nullptr;
  float* bias_gradient = nullptr;
  float alpha = 1.0f;
  float beta = 0.0f;
};

class ProductPlan {
 public:
  // `mode` must be possible: see epilogue_of().
  ProductPlan(const Problem& problem, EpilogueMode mode);

  EpilogueMode epilogue_mode() const { return epilogue_mode_; }
  // What shows up in profiles: "cublaslt_gelu_aux_bias".
  std::string_view name() const { return name_; }
  // Whether cuBLASLt's epilogue makes the bias gradient.
  bool makes_bias_gradient() const;

  // cuBLASLt's proposals, the most promising first; none where it does not take the problem. Of the operands only the
  // alignment matters, which scratch memory would make better than it is.
  std::vector<Algorithm> propose(cublasLtHandle_t handle, const Operands& operands, std::size_t workspace_bytes,
                                 int count) const;
  // Whether a stored algorithm can run on this device; sets its need of workspace.
  bool accepts(cublasLtHandle_t handle, const Operands& operands, Algorithm& algorithm,
               std::size_t workspace_bytes) const;

  void use(const Algorithm& algorithm) { algorithm_ = algorithm; }
  const Algorithm& algorithm() const { return algorithm_; }
  // Queues the product; without checking, so that a proposal that does not run is only skipped.
  cublasStatus_t run(cublasLtHandle_t handle, const Operands& operands, void* workspace, cudaStream_t stream) const;

 private:
  void bind(const Operands& operands) const;

  Problem problem_;
  EpilogueMode epilogue_mode_;
  cublasLtEpilogue_t epilogue_ = CUBLASLT_EPILOGUE_DEFAULT;
  std::string_view name_;
  LtOperation operation_;
  LtLayout a_;  // cuBLASLt's: our b, since it counts columns first
  LtLayout b_;
  LtLayout c_;
  Algorithm algorithm_;
};

}  // namespace amphora::cuda
