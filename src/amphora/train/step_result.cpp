#include "amphora/train/step_result.h"

#include <algorithm>
#include <cstring>

#include "amphora/core/error.h"

namespace amphora::train {

StepResult::PendingResult::PendingResult(const std::vector<Tensor>& results, const amp::GradScaler* given_scaler) {
  for (const Tensor& result : results) {
    require(result.count() == 1, "a step returned a tensor of shape {}; results have one element each", result.shape());
    const std::size_t element = size_of(result.dtype());
    const auto offset = static_cast<std::size_t>(result.offset()) * element;
    values.push_back(result.device().read_later(*result.buffer(), offset, element));
    types.push_back(result.dtype());
  }
  if (given_scaler != nullptr) scaler = given_scaler->read_state();
}

void StepResult::PendingResult::restart() const {
  for (const auto& value : values) value->restart();
  if (scaler != nullptr) scaler->restart();
}

bool StepResult::ready() const {
  if (pending_ == nullptr) return true;
  const auto is_ready = [](const auto& value) { return value->ready(); };
  return std::all_of(pending_->values.begin(), pending_->values.end(), is_ready) &&
         (pending_->scaler == nullptr || pending_->scaler->ready());
}

std::size_t StepResult::count() const { return pending_ == nullptr ? 0 : pending_->values.size(); }

double StepResult::value(std::size_t index) const {
  require(index < count(), "result {} of a step with {} results", index, count());
  return load_element(pending_->types[index], pending_->values[index]->get().data(), 0);
}

std::optional<ScalerState> StepResult::scaler() const {
  if (pending_ == nullptr || pending_->scaler == nullptr) return std::nullopt;
  ScalerState state;
  std::memcpy(&state, pending_->scaler->get().data(), sizeof state);
  return state;
}

}  // namespace amphora::train
