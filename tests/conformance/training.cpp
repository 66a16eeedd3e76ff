#include "conformance/training.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "amphora/amphora.h"

namespace amphora::conformance {
namespace {

constexpr std::int64_t kInputs = 64;
constexpr std::int64_t kHidden = 32;
constexpr std::int64_t kClasses = 10;
constexpr std::int64_t kBatch = 32;
constexpr std::int64_t kImages = 640;

// Images of 8 x 8 in which a bright bar tells the label.
data::ImageSet small_images() {
  data::ImageSet set{.image_shape = {8, 8}, .pixels = {}, .labels = {}};
  for (std::uint64_t i = 0; i < kImages; ++i) {
    const auto label = random_below({5, 0}, i, kClasses);
    for (std::uint64_t pixel = 0; pixel < kInputs; ++pixel) {
      const bool bright = pixel / 6 == label;
      set.pixels.push_back(
          static_cast<std::uint8_t>(random_below({5, 1}, i * kInputs + pixel, 128) + (bright ? 127 : 0)));
    }
    set.labels.push_back(static_cast<std::int32_t>(label));
  }
  return set;
}

void append(std::vector<float>& all, const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  all.insert(all.end(), values.begin(), values.end());
}

float scale_of(const amp::GradScaler& scaler) {
  ScalerState state;
  const auto readback = scaler.read_state();
  std::memcpy(&state, readback->get().data(), sizeof state);
  return state.scale;
}

double largest_magnitude(const std::vector<float>& values) {
  double largest = 0.0;
  for (const float value : values) largest = std::max(largest, std::abs(double{value}));
  return largest;
}

// In f16 the scaled gradient of the logits passes 65504; elsewhere sums of gradients pass f32's largest number. Above
// 2^126 the inverse of the scale is subnormal, which a device may take for zero.
amp::GradScalerOptions scaling_for(Precision precision) {
  return {.init_scale = precision == Precision::f16 ? 0x1p20f : 0x1p126f, .growth_interval = 30, .max_scale = 0x1p126f};
}

}  // namespace

TrainingRun train_small(Device& device, Precision precision) {
  const data::Images images(small_images());
  const data::Loader loader(device, images, {.batch_size = kBatch, .seed = 3});
  RandomSource random(11);
  const nn::Init init{device, random};
  nn::Sequential model(nn::Linear(init, kInputs, kHidden, {.activation = Activation::relu}), nn::Dropout(init, 0.1f),
                       nn::Linear(init, kHidden, kClasses));
  const auto parameters = model.parameters();
  // The loss is a sum over the batch, and four times that, so that its gradients overflow at such a scale.
  constexpr float kFactor = 4.0f;
  constexpr float kSize = kFactor * kBatch;
  optim::Sgd optimizer(parameters, {.lr = kTrainingRate / kSize, .momentum = kTrainingMomentum});
  amp::GradScaler scaler(scaling_for(precision));

  TrainingRun run;
  for (const nn::Parameter& parameter : parameters) append(run.initial_weights, parameter.tensor());
  for (int step = 0, epoch = 0; step < kTrainingSteps; ++epoch) {
    for (const data::ImageBatch& batch : loader.epoch(epoch)) {
      if (step++ == kTrainingSteps) break;
      if (epoch == 0) append(run.images, batch.images);
      Tensor loss, logits;
      {
        const amp::Autocast autocast(precision);
        logits = model(batch.images);
        loss = cross_entropy(logits, batch.labels, LossReduction::sum) * kFactor;
      }
      scaler.scale(loss).backward();
      scaler.unscale(optimizer);
      const Tensor norm = optim::clip_grad_norm(parameters, INFINITY);
      const amp::StepOutcome outcome = scaler.step(optimizer);
      scaler.update();
      optimizer.zero_grad();
      run.losses.push_back(loss.item() / kSize);
      run.gradient_norms.push_back(norm.item() / kSize);
      run.largest_logits.push_back(largest_magnitude(logits.to_vector()));
      run.scales.push_back(scale_of(scaler));
      run.skipped.push_back(!outcome.applied());
    }
  }
  return run;
}

// Two backends that round alike but sum in other orders differ in step s by at most e |g_s| in the gradient, where e is
// the relative error of its computation. Gradient descent at a rate below 2 / (largest curvature) does not stretch a
// difference of weights, so it has grown to at most d = rate / (1 - momentum) * sum of e |g_s| by step t. The losses
// then differ by |g_t| d for the weights, and, cross-entropy being 2-Lipschitz in the largest change of a logit, by
// 2 e |largest logit| for the forward pass of the step itself.
//
// e: an f32 sum of at most 64 terms takes 64 roundings, twice that where terms are cut off. Such a difference s makes a
// 16-bit number fall to its neighbour, a step away, with probability s / step: in quadratic mean it moves by
// sqrt(s * step). Six 16-bit tensors lie on the way to a gradient: batch, weights, hidden layer, logits, two gradients.
std::vector<double> loss_bounds(const TrainingRun& reference, Precision precision) {
  constexpr double kTensors = 6.0;
  const double sums = 2 * kInputs * 0x1p-24;
  const double step = precision == Precision::f16 ? 0x1p-10 : precision == Precision::bf16 ? 0x1p-7 : 0.0;
  const double error = sums + kTensors * std::sqrt(sums * step);
  std::vector<double> bounds;
  double path = 0.0;  // the sum of gradient norms so far
  for (std::size_t t = 0; t < reference.losses.size(); ++t) {
    const bool skipped = reference.skipped[t];
    const double norm = skipped ? 0.0 : reference.gradient_norms[t];
    const double weights = kTrainingRate / (1.0 - kTrainingMomentum) * error * path;
    // A skipped step has no norm; its loss moves like that of the step before at most.
    const double slope = skipped ? 2.0 * reference.largest_logits[t] + 1.0 : norm;
    bounds.push_back(slope * weights + 2.0 * error * (reference.largest_logits[t] + 1.0));
    path += norm;
  }
  return bounds;
}

std::string explain_small(Device& device, Precision precision, std::initializer_list<amp::RuleOverride> overrides) {
  RandomSource random(7);
  const nn::Init init{device, random};
  nn::Sequential model(nn::Linear(init, 12, 8, {.activation = Activation::gelu}), nn::Dropout(init, 0.25f),
                       nn::Linear(init, 8, 5));
  const Tensor x = Tensor::from(device, {6, 12}, nn::normal({6, 12}, 0.0f, 1.0f, random.next()));
  const Tensor labels = Tensor::from(device, {6}, std::vector<std::int32_t>{0, 1, 2, 3, 4, 0});
  const Tensor target = Tensor::full(device, {6, 5}, 0.2);
  const auto parameters = model.parameters();
  optim::AdamW optimizer(parameters);
  amp::GradScaler scaler;

  autograd::Trace trace;
  Tensor loss;
  {
    const amp::Autocast autocast(precision, overrides);
    const Tensor logits = model(x);
    const Tensor centred = logits - mean(logits, 1, true);
    const Tensor sharp = softmax(square(centred) * 0.5f);
    const Tensor products = matmul(sharp, transpose(tanh(centred)));
    const Tensor penalty = sum(log(exp(products) + 1.0f));  // one at a time: operands may be evaluated in any order
    const Tensor distance = mse_loss(sharp, target);
    loss = cross_entropy(logits, labels) + distance + penalty;
  }
  scaler.scale(loss).backward();
  scaler.unscale(optimizer);
  optim::clip_grad_norm(parameters, 1.0f);
  scaler.step(optimizer);
  scaler.update();
  return trace.str();
}

}  // namespace amphora::conformance
