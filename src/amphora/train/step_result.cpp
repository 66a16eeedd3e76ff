#include "amphora/train/step_result.h"

#include <algorithm>
#include <cstring>

#include "amphora/core/error.h"
#include "amphora/tensor/launch.h"

namespace amphora::train {

StepResult::PendingResult::PendingResult(const std::vector<Tensor>& given, const amp::GradScaler* given_scaler,
                                         bool is_reused)
    : copies(is_reused) {
  for (const Tensor& tensor : given) {
    require(tensor.defined(), "a step returned a tensor that is not defined");
    const Tensor& result = results.emplace_back(tensor.detach());  // off the tape, which keeps memory alive
    if (result.count() != 1) {
      values.emplace_back();
      continue;
    }
    const std::size_t element = size_of(result.dtype());
    const auto offset = static_cast<std::size_t>(result.offset()) * element;
    values.push_back(result.device().read_later(*result.buffer(), offset, element));
  }
  tensors = results;
  copy_tensors();
  if (given_scaler != nullptr) scaler = given_scaler->read_state();
}

void StepResult::PendingResult::copy_tensors() {
  if (!copies) return;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (values[i] != nullptr) continue;
    tensors[i] = Tensor::empty(results[i].device(), results[i].shape(), results[i].dtype());
    launch_copy(results[i], tensors[i]);
  }
}

void StepResult::PendingResult::restart() {
  for (const auto& value : values) {
    if (value != nullptr) value->restart();
  }
  copy_tensors();
  if (scaler != nullptr) scaler->restart();
}

bool StepResult::ready() const {
  if (pending_ == nullptr) return true;
  const auto is_ready = [](const auto& value) { return value == nullptr || value->ready(); };
  return std::all_of(pending_->values.begin(), pending_->values.end(), is_ready) &&
         (pending_->scaler == nullptr || pending_->scaler->ready());
}

std::size_t StepResult::count() const { return pending_ == nullptr ? 0 : pending_->values.size(); }

double StepResult::value(std::size_t index) const {
  require(index < count(), "result {} of a step with {} results", index, count());
  const Tensor& result = pending_->results[index];
  require(pending_->values[index] != nullptr,
          "result {} of a step has the shape {}; value() gives results of one element, tensor() all", index,
          result.shape());
  return load_element(result.dtype(), pending_->values[index]->get().data(), 0);
}

Tensor StepResult::tensor(std::size_t index) const {
  require(index < count(), "result {} of a step with {} results", index, count());
  const Tensor& tensor = pending_->tensors[index];
  if (!pending_->copies || pending_->values[index] == nullptr) return tensor;
  return Tensor::full(tensor.device(), tensor.shape(), value(index), tensor.dtype());
}

std::optional<ScalerState> StepResult::scaler() const {
  if (pending_ == nullptr || pending_->scaler == nullptr) return std::nullopt;
  ScalerState state;
  std::memcpy(&state, pending_->scaler->get().data(), sizeof state);
  return state;
}

}  // namespace amphora::train
