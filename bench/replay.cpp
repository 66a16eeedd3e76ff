// What a training step costs the host, eagerly and replayed: ./run bench replay --backend vulkan
//
// On the null backend, a step of 500 calls: nothing but the host's work. On a real one, the step of samples/mlp, from
// the call to its return, with the device idle before.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "amphora/app.h"
#include "amphora/io/table.h"

namespace {

namespace am = amphora;
using am::Activation;
using am::nn::Linear;

struct Network {
  std::vector<std::int64_t> widths;
  std::int64_t batch = 0;
};

am::nn::Sequential make_model(am::Device& device, const Network& network) {
  am::RandomSource random(1);
  const am::nn::Init init{device, random};
  am::nn::Sequential model;
  for (std::size_t i = 0; i + 1 < network.widths.size(); ++i) {
    const bool last = i + 2 == network.widths.size();
    model.add(
        std::make_shared<Linear>(init, network.widths[i], network.widths[i + 1],
                                 am::nn::LinearOptions{.activation = last ? Activation::none : Activation::relu}));
  }
  return model;
}

struct Cost {
  double microseconds = 0.0;  // of the host, a step; the median
  std::uint64_t calls = 0;
};

Cost measure(am::Device& device, const Network& network, am::Precision precision, bool eager, am::train::Verify verify,
             int steps) {
  am::nn::Sequential model = make_model(device, network);
  const auto parameters = model.parameters();
  am::optim::AdamW optimizer(parameters);
  optimizer.follow(am::optim::warmup_cosine(1e-3f, 10, 1000));
  am::amp::GradScaler scaler({.enabled = precision == am::Precision::f16});
  const am::data::Images images(am::data::synthetic_images(2 * network.batch, 1));
  const am::data::Loader loader(device, images, {.batch_size = network.batch});
  am::train::Step step(device,
                       [&](const am::data::ImageBatch& batch) {
                         am::Tensor loss;
                         {
                           const am::amp::Autocast autocast(precision);
                           loss = am::cross_entropy(model(batch.images), batch.labels);
                         }
                         scaler.scale(loss).backward();
                         scaler.unscale(optimizer);
                         am::optim::clip_grad_norm(parameters, 1.0f);
                         scaler.step(optimizer);
                         scaler.update();
                         optimizer.zero_grad();
                         return loss;
                       },
                       {.scaler = &scaler, .eager = eager, .verify = verify});

  std::vector<am::data::ImageBatch> batches;
  for (const am::data::ImageBatch& batch : loader.epoch()) batches.push_back(batch);
  constexpr int kWarmUp = 8;
  std::vector<double> times;
  Cost cost;
  for (int i = 0; i < kWarmUp + steps; ++i) {
    if (i == kWarmUp) device.reset_counters();
    const auto start = std::chrono::steady_clock::now();
    const am::train::StepResult result = step(batches[static_cast<std::size_t>(i % 2)]);
    const std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - start;
    if (i >= kWarmUp) times.push_back(elapsed.count());
    device.wait();
  }
  std::nth_element(times.begin(), times.begin() + steps / 2, times.end());
  cost.microseconds = times[static_cast<std::size_t>(steps) / 2];
  for (const std::uint64_t launches : device.counters().launches) cost.calls += launches;
  cost.calls /= static_cast<std::uint64_t>(steps);
  return cost;
}

void add_row(std::vector<am::io::Row>& rows, am::Device& device, const Network& network, am::Precision precision,
             int steps) {
  using am::train::Verify;
  const Cost eager = measure(device, network, precision, true, Verify::never, steps);
  const Cost replayed = measure(device, network, precision, false, Verify::never, steps);
  const Cost verified = measure(device, network, precision, false, Verify::always, steps);
  rows.push_back({device.info().backend, std::string(name_of(precision)), std::to_string(replayed.calls),
                  fmt::format("{:.1f} us", eager.microseconds), fmt::format("{:.1f} us", replayed.microseconds),
                  fmt::format("{:.1f} us", verified.microseconds),
                  fmt::format("{:.1f} %", 100.0 * replayed.microseconds / eager.microseconds)});
}

}  // namespace

int main(int argc, char** argv) {
  std::string backend = "auto";
  int steps = 200;
  return am::app::run_reporting_errors("replay", [&] {
    am::app::CommandLine line(
        {.program = "bench_replay",
         .description =
             "The host's time for a training step: eager, replayed, and replayed after the body was captured again."});
    line.add_text("--backend", backend, "NAME", "beside null");
    line.add_whole("--steps", steps, "N", "the median of so many", 1, 1'000'000);
    if (!line.parse(argc, argv)) return;
    std::vector<am::io::Row> rows{{"backend", "precision", "calls", "eager", "replayed", "verified", "share"}};
    const auto null = am::open_device("null");
    Network deep{.widths = std::vector<std::int64_t>(99, 64), .batch = 32};
    deep.widths.front() = 784;
    deep.widths.back() = 10;
    add_row(rows, *null, deep, am::Precision::f16, steps);
    const auto device = am::open_device(backend);
    const Network mlp{.widths = {784, 512, 512, 10}, .batch = 128};
    for (const am::Precision precision : device->info().precisions) add_row(rows, *device, mlp, precision, steps);
    fmt::print("{}", am::io::table(rows, "llrrrrr"));
  });
}
