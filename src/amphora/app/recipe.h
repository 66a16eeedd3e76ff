// Objects made as the command line asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "amphora/app/training_options.h"
#include "amphora/nn/parameter.h"
#include "amphora/optim/optimizer.h"
#include "amphora/optim/schedule.h"
#include "amphora/train/step.h"

namespace amphora::app {

std::unique_ptr<optim::Optimizer> make_optimizer(const TrainingOptions& options,
                                                 const std::vector<nn::Parameter>& parameters);

// Warm-up over the first twentieth of the steps, then half a cosine down to 0.
optim::Schedule make_schedule(const TrainingOptions& options, std::int64_t steps);

// Of the step that `scaler` belongs to.
train::StepOptions make_step_options(const TrainingOptions& options, const amp::GradScaler& scaler);

}  // namespace amphora::app
