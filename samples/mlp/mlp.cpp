// Trains a multilayer perceptron on Fashion-MNIST in mixed precision.
//
//   ./run train mlp --precision bf16 --epochs 5
#include <cstdlib>
#include <optional>
#include <string>

#include "amphora/app.h"

namespace {

namespace am = amphora;
using am::Activation;
using am::nn::Linear;
using Session = am::app::Session<am::data::ImageBatch>;

const am::app::Sample kSample{
    .name = "mlp",
    .items = "images",
    // One run's accuracy varies by about as much.
    .metrics = {{.name = "test_accuracy", .meaning = "percent", .unit = "%", .max_difference = 0.3}},
    .data = {.package = "dataset-fashion-mnist",
             .folder = "/usr/share/datasets/fashion-mnist",
             .names = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                       "t10k-labels-idx1-ubyte"},
             .instead = {"--data", "--synthetic"},
             .advice = "give a folder with the four Fashion-MNIST files (--data DIR or AMPHORA_DATA), or install the "
                       "package dataset-fashion-mnist"},
    // The first scales overflow, so that there are steps to skip.
    .quick = {"--synthetic", "1000", "--epochs", "2", "--batch-size", "50", "--init-scale", "1e9"}};

struct Options : am::app::TrainingOptions {
  std::string data;
  std::int64_t synthetic = 0;  // images to make up instead of reading some; 0: read

  Options() { sample = kSample; }

  void add_flags(am::app::CommandLine& line) {
    add_machine_flags(line);
    line.add_path(
        "--data", data, "DIR",
        "the folder with the four Fashion-MNIST files, gzipped or not; else AMPHORA_DATA,\nelse " + sample.data.folder);
    line.add_whole("--synthetic", synthetic, "N", "train on N made-up images instead, and test on as many", 1,
                   1'000'000)
        .hide_default();
    add_training_flags(line);
  }
};

am::data::Split load(const Options& options) {
  using am::data::synthetic_images;
  if (options.mode != am::app::Mode::train) {
    return {synthetic_images(options.batch_size * options.accumulate, options.seed), synthetic_images(1, options.seed)};
  }
  if (options.synthetic > 0) return {synthetic_images(options.synthetic, 1), synthetic_images(options.synthetic, 2)};
  const char* named = std::getenv("AMPHORA_DATA");
  const bool is_named = named != nullptr && *named != '\0';
  const std::string usual = is_named ? named : options.sample.data.folder;
  return am::data::load_mnist(options.data.empty() ? usual : options.data, 10, options.sample.data.advice);
}

void train(const Options& options) {
  Session session(options);
  am::Device& device = session.device();

  am::data::Split split = load(options);
  const am::data::Images images(std::move(split.train));
  const am::data::Images test_images(std::move(split.test), {.normalization = images.normalization()});
  am::data::Loader loader(device, images, {.batch_size = options.batch_size, .seed = options.seed});
  const am::data::Loader test_loader(device, test_images, {.batch_size = 1000, .shuffle = false});

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
  const auto body = [&](const Session::Batch& batch) {
    am::Tensor loss;
    {
      const am::amp::Autocast autocast(options.precision);
      loss = am::cross_entropy(model(batch.images), batch.labels) * batch.loss_share;
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
  for (const Session::Batch& batch : session.batches(loader)) session.log(step(batch), *optimizer);

  session.finish(step, [&] {
    std::optional<am::optim::Ema::Scope> averaged;
    if (ema) averaged.emplace(*ema);
    return am::app::Metrics{{"test_accuracy", am::app::accuracy(model, test_loader, options.precision)}};
  });
}

}  // namespace

int main(int argc, char** argv) { return am::app::run_main<Options>(argc, argv, train); }
