#include "amphora/app/from_options.h"

#include "amphora/optim/adam.h"
#include "amphora/optim/sgd.h"

namespace amphora::app {

std::unique_ptr<optim::Optimizer> make_optimizer(const Options& options, const std::vector<nn::Parameter>& parameters) {
  switch (options.optimizer) {
    case OptimizerKind::sgd:
      return std::make_unique<optim::Sgd>(parameters, optim::SgdOptions{.lr = options.lr, .momentum = 0.9f});
    case OptimizerKind::adam: return std::make_unique<optim::Adam>(parameters, optim::AdamOptions{.lr = options.lr});
    case OptimizerKind::adamw: break;
  }
  return std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions{.lr = options.lr});
}

optim::Schedule make_schedule(const Options& options, std::int64_t steps) {
  return optim::warmup_cosine(options.lr, steps / 20, steps);
}

train::StepOptions make_step_options(const Options& options, const amp::GradScaler& scaler) {
  return {.scaler = &scaler,
          .eager = options.mode == Mode::explain,
          .passes = {.store_instead_of_accumulate = options.fuse, .fuse_epilogues = options.fuse}};
}

}  // namespace amphora::app
