// Gradient clipping (Pascanu et al., ICML 2013), in place on the device.
#pragma once

#include <vector>

#include "amphora/core/place.h"
#include "amphora/nn/parameter.h"
#include "amphora/tensor/tensor.h"

namespace amphora::optim {

struct ClipOptions {
  float order = 2.0f;               // of the norm: above 0, or an infinity
  bool error_if_nonfinite = false;  // waits; throws Error and leaves the gradients as they are
};

// Multiplies all gradients by min(1, max_norm / (norm + 1e-6)), where norm is that of all of them together, and gives
// the norm before clipping as an f32 scalar. A norm that is not finite makes gradients NaN or 0, as PyTorch's does:
// under a GradScaler that step is skipped anyway. Call it after GradScaler::unscale(). Throws Error unless max_norm is
// at least 0.
Tensor clip_grad_norm(const std::vector<nn::Parameter>& parameters, float max_norm, const ClipOptions& options = {},
                      CodeLine where = CodeLine::current());
// The same on gradients of any floating type.
Tensor clip_grad_norm(const std::vector<Tensor>& gradients, float max_norm, const ClipOptions& options = {},
                      CodeLine where = CodeLine::current());

// Clamps each element to [-limit, limit]; NaN stays NaN.
void clip_grad_value(const std::vector<nn::Parameter>& parameters, float limit);
void clip_grad_value(const std::vector<Tensor>& gradients, float limit);

}  // namespace amphora::optim
