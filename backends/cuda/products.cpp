#include "backends/cuda/products.h"

#include <algorithm>
#include <limits>

#include "backends/cuda/check.h"
#include "backends/cuda/environment.h"
#include "backends/cuda/staging.h"
#include "core/error.h"

namespace amphora::cuda {
namespace {

constexpr int kProposals = 8;
constexpr int kRepetitions = 5;

// Memory for the results of products that are only timed. Nothing where the device has no room for it.
struct Scratch {
  std::unique_ptr<Block> c;
  std::unique_ptr<Block> aux;
  std::unique_ptr<Block> sums;
  std::unique_ptr<Block> bias_gradient;
  Operands operands;

  static std::optional<Scratch> take(const KernelCall& call, const Problem& p, Pool& pool, Stream& stream) {
    const MatmulParams& s = p.shape;
    const auto rows = static_cast<std::size_t>(s.batch - 1) * static_cast<std::size_t>(s.c_batch_stride) +
                      static_cast<std::size_t>(s.m) * static_cast<std::size_t>(s.ldc);
    Scratch scratch;
    scratch.operands = operands_of(call);
    const auto block = [&pool](std::unique_ptr<Block>& target, std::size_t bytes) {
      target = pool.take(bytes);
      return target != nullptr;
    };
    if (!block(scratch.c, rows * size_of(p.result))) return {};
    scratch.operands.c = scratch.c->data();
    check(cudaMemsetAsync(scratch.operands.c, 0, rows * size_of(p.result), stream.handle()), "clearing memory");
    if (p.has_aux && !p.derivative) {
      if (!block(scratch.aux, rows * size_of(p.result))) return {};
      scratch.operands.aux = scratch.aux->data();
    }
    if (p.bias_gradient) {
      if (!block(scratch.bias_gradient, static_cast<std::size_t>(s.n) * sizeof(float))) return {};
      scratch.operands.bias_gradient = static_cast<float*>(scratch.bias_gradient->data());
    }
    const auto elements =
        static_cast<std::size_t>(s.batch) * static_cast<std::size_t>(s.m) * static_cast<std::size_t>(s.n);
    if (p.has_epilogue() && !block(scratch.sums, elements * sizeof(float))) return {};
    return scratch;
  }
};

// The median of a few runs, in microseconds; infinity when it does not run.
class Stopwatch {
 public:
  template <class Run>
  double measure(cudaStream_t stream, Run run) {
    std::array<float, kRepetitions> milliseconds{};
    if (run() != CUBLAS_STATUS_SUCCESS) {  // the first run also loads the kernel
      cudaGetLastError();
      return std::numeric_limits<double>::infinity();
    }
    for (float& time : milliseconds) {
      begin_.record(stream);
      run();
      end_.record(stream);
      end_.wait();
      check(cudaEventElapsedTime(&time, begin_.handle(), end_.handle()), "reading a product's time");
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    return 1e3 * static_cast<double>(milliseconds[kRepetitions / 2]);
  }

 private:
  Event begin_{cudaEventDefault};
  Event end_{cudaEventDefault};
};

bool is_possible(const Problem& problem, Way way) {
  return way == Way::fused ? epilogue_of(problem).has_value() : problem.has_epilogue();
}

}  // namespace

Operands operands_of(const KernelCall& call) {
  const auto params = call.params<MatmulParams>();
  return {address_of(call, 0), address_of(call, 1), address_of(call, 2),
          address_of(call, 3), address_of(call, 4), static_cast<float*>(address_of(call, 5)),
          params.alpha,        params.beta};
}

Products::Products(const Capabilities& capabilities, Pool& pool)
    : capabilities_(capabilities),
      pool_(pool),
      tunes_(environment().tune),
      handle_(make_handle()),
      // What NVIDIA recommends for Hopper and newer, and for older devices.
      workspace_bytes_(capabilities.major >= 9 ? std::size_t{32} << 20 : std::size_t{4} << 20),
      choices_(capabilities) {}

void Products::reserve_workspace() {
  if (workspace_ == nullptr) workspace_ = pool_.take(workspace_bytes_);
  if (workspace_ == nullptr) {
    throw OutOfMemory(fmt::format("out of memory on cuda ({}): {} bytes asked for cuBLASLt's workspace",
                                  capabilities_.name, workspace_bytes_));
  }
}

const Plan* Products::find(const KernelCall& call, Stream& stream) {
  const Problem problem(call);
  if (const auto found = plans_.find(problem); found != plans_.end()) return found->second.get();
  reserve_workspace();
  const auto made = plans_.emplace(problem, make_plan(call, problem, stream)).first;
  stream.begin_call();  // what was timed is no part of the call
  return made->second.get();
}

std::unique_ptr<Plan> Products::stored_plan(const Problem& problem, const Operands& operands) {
  const std::optional<Choice> choice = choices_.find(problem.str());
  if (!choice || !is_possible(problem, choice->way)) return nullptr;
  auto plan = std::make_unique<Plan>(problem, choice->way);
  Algorithm algorithm{choice->algo, 0};
  if (!plan->accepts(handle_.get(), operands, algorithm, workspace_bytes_)) return nullptr;
  plan->use(algorithm);
  return plan;
}

std::unique_ptr<Plan> Products::make_plan(const KernelCall& call, const Problem& problem, Stream& stream) {
  const Operands operands = operands_of(call);
  if (tunes_) {
    if (auto plan = stored_plan(problem, operands)) return plan;
  }
  std::optional<Scratch> scratch;
  if (tunes_) scratch = Scratch::take(call, problem, pool_, stream);
  Stopwatch watch;
  std::unique_ptr<Plan> best;
  double shortest = std::numeric_limits<double>::infinity();
  for (const Way way : {Way::fused, Way::separate}) {
    if (!is_possible(problem, way)) continue;
    auto plan = std::make_unique<Plan>(problem, way);
    const std::vector<Algorithm> proposals =
        plan->propose(handle_.get(), operands, workspace_bytes_, scratch ? kProposals : 1);
    if (proposals.empty()) continue;
    if (!scratch) {
      plan->use(proposals.front());
      return plan;
    }
    std::optional<Algorithm> fastest;
    for (const Algorithm& algorithm : proposals) {
      plan->use(algorithm);
      const double time = watch.measure(stream.handle(), [&] {
        Operands target = scratch->operands;
        if (way == Way::separate) {
          target.c = scratch->sums->data();
          target.beta = 0.0f;
        }
        const cublasStatus_t status = plan->run(handle_.get(), target, workspace_->data(), stream.handle());
        if (status != CUBLAS_STATUS_SUCCESS) return status;
        if (way == Way::separate) {
          finish_product(call, static_cast<const float*>(scratch->sums->data()), scratch->operands, stream);
        } else if (problem.bias_gradient && !plan->makes_bias_gradient()) {
          sum_columns(call, scratch->operands, stream);
        }
        return status;
      });
      if (time >= shortest) continue;
      shortest = time;
      fastest = algorithm;
    }
    if (!fastest) continue;
    plan->use(*fastest);
    best = std::move(plan);
  }
  if (best != nullptr) choices_.keep(problem.str(), {best->way(), shortest, best->algorithm().algo});
  return best;
}

void Products::run(const Plan& plan, const Operands& operands, Stream& stream) {
  check(plan.run(handle_.get(), operands, workspace_->data(), stream.handle()), plan.name());
  stream.ran(plan.name(), cudaSuccess);
}

}  // namespace amphora::cuda
