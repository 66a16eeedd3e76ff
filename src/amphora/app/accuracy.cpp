#include "amphora/app/accuracy.h"

#include <algorithm>
#include <vector>

#include "amphora/app/evaluation.h"
#include "amphora/core/error.h"

namespace amphora::app {

namespace {

std::int64_t count_correct(const std::vector<float>& logits, const std::vector<float>& labels) {
  const std::size_t classes = logits.size() / labels.size();
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * classes);
    const auto best = std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row;
    if (best == static_cast<std::ptrdiff_t>(labels[i])) ++correct;
  }
  return correct;
}

}  // namespace

double accuracy(nn::Layer& model, const data::Loader<data::ImageBatch>& loader, Precision precision) {
  const Evaluation evaluation(model, precision);
  std::int64_t correct = 0;
  for (const data::ImageBatch& batch : loader.epoch()) {
    const Tensor logits = model(batch.images);
    require(logits.rank() == 2 && logits.size(0) == batch.labels.count(),
            "accuracy needs logits [N, classes] for {} images, but the model gives shape {}", batch.labels.count(),
            logits.shape());
    correct += count_correct(logits.to_vector(), batch.labels.to_vector());
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(loader.count());
}

}  // namespace amphora::app
