// Trains a multilayer perceptron on Fashion-MNIST in mixed precision.
//
//   ./run train mlp --precision bf16 --epochs 5
#include <optional>

#include "amphora/app.h"

namespace {

namespace am = amphora;
using am::Activation;
using am::nn::Linear;

void train(const am::app::Options& options) {
  am::app::Session session(options);
  am::Device& device = session.device();

  const am::data::Split images = session.fashion_mnist();
  const am::data::Loader loader(device, images.train, {.batch_size = options.batch_size, .seed = options.seed});
  const am::data::Loader test_loader(device, images.test,
                                     {.batch_size = 1000, .shuffle = false, .normalization = loader.normalization()});

  // Masters are f32; products under autocast read 16-bit working copies, which the optimizer keeps fresh.
  am::RandomSource random(options.seed);
  const am::nn::Init init{device, random};
  am::nn::Sequential model(Linear(init, 784, 512, {.activation = Activation::relu}),
                           Linear(init, 512, 512, {.activation = Activation::relu}), Linear(init, 512, 10));

  const auto parameters = model.parameters();
  const auto optimizer = am::app::make_optimizer(options, parameters);
  optimizer->follow(am::app::make_schedule(options, session.step_count(loader)));
  am::amp::GradScaler scaler(options.scaler);
  std::optional<am::optim::Ema> ema;
  if (options.ema > 0.0f) ema.emplace(parameters, options.ema);

  // Runs as it is once, is captured twice, and replayed from then on.
  const auto body = [&](const am::app::Batch& batch) {
    am::Tensor loss;
    {
      const am::amp::Autocast autocast(options.precision);
      loss = am::cross_entropy(model(batch.images), batch.labels) / batch.batches_in_step;
    }
    scaler.scale(loss).backward();
    if (!batch.ends_step) return loss;

    scaler.unscale(*optimizer);
    if (options.clip_norm > 0.0f) am::optim::clip_grad_norm(parameters, options.clip_norm);
    scaler.step(*optimizer);  // skipped on the device if a gradient overflowed
    scaler.update();
    optimizer->zero_grad();
    if (ema) ema->update();
    return loss;
  };
  am::train::Step step(device, body, am::app::make_step_options(options, scaler));
  for (const am::app::Batch& batch : session.batches(loader)) session.log(step(batch), optimizer->lr());

  session.finish(step, [&] {
    std::optional<am::optim::Ema::Scope> averaged;
    if (ema) averaged.emplace(*ema);
    return am::app::accuracy(model, test_loader, options.precision);
  });
}

}  // namespace

int main(int argc, char** argv) { return am::app::run_main("mlp", argc, argv, train); }
