#include "backends/cuda/tuning.h"

#include <algorithm>
#include <array>
#include <limits>

#include "backends/cuda/check.h"
#include "backends/cuda/pinned.h"
#include "backends/cuda/products.h"

namespace amphora::cuda {
namespace {

constexpr int kProposals = 8;  // of each mode
constexpr int kRepetitions = 5;
constexpr double kNever = std::numeric_limits<double>::infinity();

// Memory for results that nobody reads.
class Scratch {
 public:
  // Nothing where the device has no room for it.
  static std::optional<Scratch> take(const KernelCall& call, const Problem& p, BlockPool& pool, Stream& stream) {
    const MatmulParams& s = p.shape;
    const auto of_c = size_of(p.result) * (count(s.batch - 1, s.c_batch_stride) + count(s.m, s.ldc));
    Scratch scratch(operands_of(call));
    Operands& o = scratch.operands_;
    bool fits = scratch.add(pool, of_c, o.c);
    if (p.has_aux && !p.derivative) fits = fits && scratch.add(pool, of_c, o.aux);
    void* bias_gradient = nullptr;
    if (p.bias_gradient) fits = fits && scratch.add(pool, count(s.n, sizeof(float)), bias_gradient);
    if (p.bias_gradient) o.bias_gradient = static_cast<float*>(bias_gradient);
    if (p.has_epilogue())
      fits = fits && scratch.add(pool, sizeof(float) * count(s.m, s.n) * count(s.batch, 1), scratch.sums_);
    if (!fits) return {};
    // A beta reads what is there, which must be numbers.
    check(cudaMemsetAsync(o.c, 0, of_c, stream.handle()), "clearing memory");
    return scratch;
  }

  const Operands& operands() const { return operands_; }
  // The operands of a bare product.
  Operands bare() const {
    Operands result = operands_;
    result.c = sums_;
    result.beta = 0.0f;
    return result;
  }

 private:
  explicit Scratch(const Operands& operands) : operands_(operands) {}

  template <class A, class B>
  static std::size_t count(A a, B b) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
  }

  bool add(BlockPool& pool, std::size_t bytes, void*& target) {
    std::unique_ptr<Block> block = pool.take(bytes);
    if (block == nullptr) return false;
    target = block->data();
    blocks_.push_back(std::move(block));
    return true;
  }

  Operands operands_;
  void* sums_ = nullptr;
  std::vector<std::unique_ptr<Block>> blocks_;
};

// The median of a few runs, in microseconds; kNever when it does not run.
template <class Run>
double measured(cudaStream_t stream, Run run) {
  if (run() != CUBLAS_STATUS_SUCCESS) {  // the first run also loads the kernel
    cudaGetLastError();
    return kNever;
  }
  Event begin(cudaEventDefault);
  Event end(cudaEventDefault);
  std::array<float, kRepetitions> milliseconds{};
  for (float& time : milliseconds) {
    begin.record(stream);
    run();
    end.record(stream);
    end.wait();
    check(cudaEventElapsedTime(&time, begin.handle(), end.handle()), "reading a product's time");
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return 1e3 * static_cast<double>(milliseconds[kRepetitions / 2]);
}

// Runs a plan with everything that a call of its mode needs, into scratch memory.
cublasStatus_t run_whole(const ProductPlan& plan, const KernelCall& call, const LtContext& context,
                         const Scratch& scratch, Stream& stream) {
  const bool separate = plan.epilogue_mode() == EpilogueMode::separate;
  const Operands target = separate ? scratch.bare() : scratch.operands();
  const cublasStatus_t status = plan.run(context.handle, target, context.workspace, stream.handle());
  if (status != CUBLAS_STATUS_SUCCESS) return status;
  if (separate) {
    finish_product(call, static_cast<const float*>(target.c), scratch.operands(), stream);
  } else if ((call.spec.flags & kMatmulBiasGradient) != 0 && !plan.makes_bias_gradient()) {
    sum_columns(call, scratch.operands(), stream);
  }
  return status;
}

// Lets the plan use its fastest algorithm, and returns the time of that.
double choose_fastest(ProductPlan& plan, const KernelCall& call, const LtContext& context, const Scratch& scratch,
                      Stream& stream) {
  Algorithm fastest;
  double shortest = kNever;
  for (const Algorithm& algorithm :
       plan.propose(context.handle, operands_of(call), context.workspace_bytes, kProposals)) {
    plan.use(algorithm);
    const double time = measured(stream.handle(), [&] { return run_whole(plan, call, context, scratch, stream); });
    if (time >= shortest) continue;
    shortest = time;
    fastest = algorithm;
  }
  plan.use(fastest);
  return shortest;
}

}  // namespace

std::optional<Tuned> tune(const KernelCall& call, const Problem& problem, const LtContext& context, BlockPool& pool,
                          Stream& stream) {
  const std::optional<Scratch> scratch = Scratch::take(call, problem, pool, stream);
  if (!scratch) return {};
  Tuned best{nullptr, kNever};
  for (const EpilogueMode mode : {EpilogueMode::fused, EpilogueMode::separate}) {
    if (!is_possible(problem, mode)) continue;
    auto plan = std::make_unique<ProductPlan>(problem, mode);
    const double time = choose_fastest(*plan, call, context, *scratch, stream);
    if (time < best.microseconds) best = {std::move(plan), time};
  }
  return best;
}

std::unique_ptr<ProductPlan> first_proposal(const Problem& problem, const Operands& operands,
                                            const LtContext& context) {
  for (const EpilogueMode mode : {EpilogueMode::fused, EpilogueMode::separate}) {
    if (!is_possible(problem, mode)) continue;
    auto plan = std::make_unique<ProductPlan>(problem, mode);
    const std::vector<Algorithm> proposals = plan->propose(context.handle, operands, context.workspace_bytes, 1);
    if (proposals.empty()) continue;
    plan->use(proposals.front());
    return plan;
  }
  return nullptr;
}

}  // namespace amphora::cuda
