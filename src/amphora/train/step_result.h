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
  // Result `index` on the device, whatever its shape; it stays what it is when other steps run.
  Tensor tensor(std::size_t index) const;
  // After the step; empty without a scaler, or while it is disabled.
  std::optional<ScalerState> scaler() const;

 private:
  friend class StepRunner;
  // Scalars on their way to the host, and all results on the device. It can be started again for results in the same
  // memory, where `is_reused`: then `tensors` are copies, of all but scalars.
  struct PendingResult {
    PendingResult(const std::vector<Tensor>& given, const amp::GradScaler* given_scaler, bool is_reused);
    void restart();
    void copy_tensors();

    std::vector<Tensor> results;
    std::vector<Tensor> tensors;
    bool copies;
    std::vector<std::unique_ptr<Readback>> values;  // null for a result of another number of elements than one
    std::unique_ptr<Readback> scaler;
  };
  explicit StepResult(std::shared_ptr<const PendingResult> pending) : pending_(std::move(pending)) {}
  std::shared_ptr<const PendingResult> pending_;
};

}  // namespace amphora::train
