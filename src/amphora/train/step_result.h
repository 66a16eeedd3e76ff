// StepResult: what a training step has left for the host.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "amphora/amp/grad_scaler.h"
#include "amphora/device/device.h"
#include "amphora/tensor/tensor.h"

namespace amphora::train {

// What a step has left for the host, on its way. Asked for within the next two steps it may wait.
class StepResult {
 public:
  StepResult() = default;
  bool ready() const;
  // The loss, or the first tensor that the body returned; then the others. Scalars. These wait while ready() is false.
  double loss() const { return value(0); }
  double value(std::size_t index) const;
  std::size_t count() const;
  // After the step; empty without a scaler, or while it is disabled.
  std::optional<ScalerState> scaler() const;

 private:
  friend class StepRunner;
  // Copies on their way to the host, which can be started again.
  struct PendingResult {
    // Throws Error unless each result has one element.
    PendingResult(const std::vector<Tensor>& results, const amp::GradScaler* given_scaler);
    void restart() const;

    std::vector<std::unique_ptr<Readback>> values;
    std::vector<DType> types;
    std::unique_ptr<Readback> scaler;
  };
  explicit StepResult(std::shared_ptr<const PendingResult> pending) : pending_(std::move(pending)) {}
  std::shared_ptr<const PendingResult> pending_;
};

}  // namespace amphora::train
