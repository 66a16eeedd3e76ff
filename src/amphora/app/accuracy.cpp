#include "amphora/app/accuracy.h"

#include <algorithm>
#include <vector>

#include "amphora/amp/autocast.h"
#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"

namespace amphora::app {

namespace {

// Switches to evaluation and back.
class Evaluation {
 public:
  explicit Evaluation(nn::Layer& model) : model_(model), was_training_(model.is_training()) { model_.eval(); }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;
  ~Evaluation() { model_.train(was_training_); }

 private:
  nn::Layer& model_;
  bool was_training_;
};

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

double accuracy(nn::Layer& model, const data::Loader& loader, Precision precision) {
  const Evaluation evaluation(model);
  const autograd::NoGrad no_grad;
  const amp::Autocast autocast(precision);
  std::int64_t correct = 0;
  for (const data::Batch& batch : loader.epoch()) {
    const Tensor logits = model(batch.images);
    require(logits.rank() == 2 && logits.size(0) == batch.labels.count(),
            "accuracy needs logits [N, classes] for {} images, but the model gives shape {}", batch.labels.count(),
            logits.shape().str());
    correct += count_correct(logits.to_vector(), batch.labels.to_vector());
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(loader.count());
}

}  // namespace amphora::app
