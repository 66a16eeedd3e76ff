#include "backends/cuda/products.h"

#include "amphora/core/error.h"
#include "backends/cuda/check.h"
#include "backends/cuda/environment.h"

namespace amphora::cuda {

Operands operands_of(const KernelCall& call) {
  const auto params = call.params<MatmulParams>();
  return {address_of(call, op::matmul::a),
          address_of(call, op::matmul::b),
          address_of(call, op::matmul::c),
          address_of(call, op::matmul::bias),
          address_of(call, op::matmul::aux),
          static_cast<float*>(address_of(call, op::matmul::bias_gradient)),
          params.alpha,
          params.beta};
}

Products::Products(const Capabilities& capabilities, BlockPool& pool)
    : capabilities_(capabilities),
      pool_(pool),
      tunes_(environment().tune),
      handle_(make_handle()),
      // What NVIDIA recommends for Hopper and newer, and for older devices.
      workspace_bytes_(capabilities.major >= 9 ? std::size_t{32} << 20 : std::size_t{4} << 20),
      cache_(capabilities) {}

const ProductPlan* Products::find(const KernelCall& call, Stream& stream) {
  Problem problem(call);
  problem.tf32 = problem.tf32 && capabilities_.multiplies_tf32();  // which else keeps them whole
  if (const auto found = plans_.find(problem); found != plans_.end()) return found->second.get();
  const auto made = plans_.emplace(problem, make_plan(call, problem, stream)).first;
  stream.begin_call();  // what was timed is no part of the call
  return made->second.get();
}

std::unique_ptr<ProductPlan> Products::make_plan(const KernelCall& call, const Problem& problem, Stream& stream) {
  const Operands operands = operands_of(call);
  if (!tunes_) return first_proposal(problem, operands, {handle_.get(), nullptr, workspace_bytes_});
  if (auto plan = kept_plan(problem, operands)) return plan;
  const std::unique_ptr<Block> workspace = pool_.take(workspace_bytes_);
  if (workspace == nullptr) return first_proposal(problem, operands, {handle_.get(), nullptr, 0});
  const LtContext context{handle_.get(), workspace->data(), workspace_bytes_};
  std::optional<Tuned> tuned = tune(call, problem, context, pool_, stream);
  if (!tuned) return first_proposal(problem, operands, context);
  if (tuned->plan != nullptr) {
    cache_.keep(problem.str(), {tuned->plan->epilogue_mode(), tuned->microseconds, tuned->plan->algorithm().algo});
  }
  return std::move(tuned->plan);
}

std::unique_ptr<ProductPlan> Products::kept_plan(const Problem& problem, const Operands& operands) {
  const std::optional<Choice> choice = cache_.find(problem.str());
  if (!choice || !is_possible(problem, choice->mode)) return nullptr;
  auto plan = std::make_unique<ProductPlan>(problem, choice->mode);
  Algorithm algorithm{choice->algo, 0};
  if (!plan->accepts(handle_.get(), operands, algorithm, workspace_bytes_)) return nullptr;
  plan->use(algorithm);
  return plan;
}

void Products::run(const ProductPlan& plan, const Operands& operands, Stream& stream) {
  const std::size_t bytes = plan.algorithm().workspace;
  void* workspace = bytes == 0 ? nullptr : stream.scratch(bytes);
  stream.start(plan.name(), [&](cudaStream_t handle) { return plan.run(handle_.get(), operands, workspace, handle); });
}

}  // namespace amphora::cuda
