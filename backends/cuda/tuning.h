// Times the ways in which cuBLASLt can run a product, on the product's own operands.
#pragma once

#include <memory>
#include <optional>

#include "backends/cuda/block_pool.h"
#include "backends/cuda/product_plan.h"
#include "backends/cuda/stream.h"

namespace amphora::cuda {

// cuBLASLt's handle, and the memory that its algorithms may use.
struct LtContext {
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

struct Tuned {
  std::unique_ptr<ProductPlan> plan;  // null: cuBLASLt does not take the problem
  double microseconds = 0.0;
};

// Times cuBLASLt's proposals, with results in scratch memory, so that nothing that is in use is written. An epilogue
// runs in cuBLASLt only where that is faster than a bare product and a kernel of our own. Empty: no room for the
// scratch memory.
std::optional<Tuned> tune(const KernelCall& call, const Problem& problem, const LtContext& context, BlockPool& pool,
                          Stream& stream);

// cuBLASLt's first proposal, untimed; null where it does not take the problem.
std::unique_ptr<ProductPlan> first_proposal(const Problem& problem, const Operands& operands, const LtContext& context);

}  // namespace amphora::cuda
