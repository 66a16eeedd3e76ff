#include "amphora/app/recipe.h"

#include "amphora/app/optimizers.h"

namespace amphora::app {

std::unique_ptr<optim::Optimizer> make_optimizer(const TrainingOptions& options,
                                                 const std::vector<nn::Parameter>& parameters) {
  return optimizer_named(options.optimizer).make(parameters, options.lr);
}

optim::Schedule make_schedule(const TrainingOptions& options, std::int64_t steps) {
  return optim::warmup_cosine(options.lr, steps / 20, steps);
}

train::StepOptions make_step_options(const TrainingOptions& options, const amp::GradScaler& scaler) {
  return {.scaler = &scaler,
          .eager = options.mode == Mode::explain,
          .passes = {.store_instead_of_accumulate = options.fuse, .fuse_epilogues = options.fuse}};
}

}  // namespace amphora::app
