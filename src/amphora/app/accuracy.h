// How well a model classifies.
#pragma once

#include "amphora/data/images.h"
#include "amphora/data/loader.h"
#include "amphora/device/device.h"
#include "amphora/nn/module.h"

namespace amphora::app {

// The percentage of images whose largest logit is their label's. Runs the model in evaluation mode, off the tape, in
// `precision`. Waits for the device.
double accuracy(nn::Layer& model, const data::Loader<data::ImageBatch>& loader, Precision precision);

}  // namespace amphora::app
