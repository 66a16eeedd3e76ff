// How well a model classifies.
#pragma once

#include "backends/device.h"
#include "data/loader.h"
#include "nn/module.h"

namespace amphora::train {

// The percentage of images whose largest logit is their label's. Runs the model in evaluation mode, off the tape, in
// `precision`. Waits for the device.
double accuracy(nn::Module& model, const data::Loader& loader, Precision precision);

}  // namespace amphora::train
