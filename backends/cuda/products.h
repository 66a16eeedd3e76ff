// Products: which plan runs a product. Each problem is planned once a process; a choice that was timed is kept on disk.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>

#include "backends/cuda/algorithm_cache.h"
#include "backends/cuda/block_pool.h"
#include "backends/cuda/product_plan.h"
#include "backends/cuda/stream.h"
#include "backends/cuda/tuning.h"

namespace amphora::cuda {

// The addresses of a call.
Operands operands_of(const KernelCall& call);

class Products {
 public:
  Products(const Capabilities& capabilities, BlockPool& pool);

  // The plan of a call; null where cuBLASLt does not take it. The first time, its algorithms are timed on the call's
  // own operands, with results in scratch memory. AMPHORA_CUDA_TUNE=0 takes the first proposal untimed, and so does a
  // device without room for that.
  const ProductPlan* find(const KernelCall& call, Stream& stream);
  // Runs a plan into `operands.c`; throws Error when it fails.
  void run(const ProductPlan& plan, const Operands& operands, Stream& stream);

 private:
  std::unique_ptr<ProductPlan> make_plan(const KernelCall& call, const Problem& problem, Stream& stream);
  // The plan whose choice is kept on disk; null: there is none that runs.
  std::unique_ptr<ProductPlan> kept_plan(const Problem& problem, const Operands& operands);

  const Capabilities& capabilities_;
  BlockPool& pool_;
  bool tunes_;
  LtHandle handle_;
  std::size_t workspace_bytes_;
  AlgorithmCache cache_;
  std::unordered_map<Problem, std::unique_ptr<ProductPlan>, HashProblem> plans_;
};

// The plan of a call; null where our own multiply-adds run it, or nothing.
const ProductPlan* plan_of(const KernelCall& call, Stream& stream);

// The epilogue of a bare product, over its dense f32 sums, with alpha applied: beta c, bias, activation or derivative,
// aux; and the sums of columns where they are asked for. In cuda/matmul.cu.
void finish_product(const KernelCall& call, const float* sums, const Operands& target, Stream& stream);
// bias_gradient from a c that is stored, see kMatmulBiasGradient.
void sum_columns(const KernelCall& call, const Operands& target, Stream& stream);

}  // namespace amphora::cuda
