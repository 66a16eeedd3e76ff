// What the GradScaler needs of an optimizer.
#pragma once

#include <vector>

#include "amphora/tensor/tensor.h"

namespace amphora::amp {

class GradientOwner {
 public:
  GradientOwner() = default;
  GradientOwner(const GradientOwner&) = delete;
  GradientOwner& operator=(const GradientOwner&) = delete;
  virtual ~GradientOwner() = default;

  // The gradients that exist now, as flat tensors. None is legal: the step then changes nothing.
  virtual std::vector<Tensor> gradients() const = 0;

  // Queues one optimizer step. `stats` holds a GradientStats and `scaler_state` a ScalerState; both undefined for a
  // step without a scaler. The device skips the step when stats.found_inf is set. With `unscale` the gradients still
  // carry the loss scale.
  virtual void apply(const Tensor& stats, const Tensor& scaler_state, bool unscale) = 0;
};

}  // namespace amphora::amp
