#include "small_run.h"

namespace amphora::testing {

using Session = app::Session<data::ImageBatch>;

SmallRun train_small(const app::TrainingOptions& options, const data::ImageSet& images, std::int64_t count_from) {
  Session session(options);
  Device& device = session.device();
  const data::Images source(images);
  data::Loader loader(device, source, {.batch_size = options.batch_size, .seed = options.seed});
  RandomSource random(options.seed);
  const nn::Init init{device, random};
  nn::Sequential model(nn::Linear(init, 784, 64, {.activation = Activation::relu}), nn::Linear(init, 64, 10));
  const auto parameters = model.parameters();
  const auto optimizer = app::make_optimizer(options, parameters);
  optimizer->follow(app::make_schedule(options, session.step_count(loader)));
  amp::GradScaler scaler(options.scaler);

  train::Step step(device,
                   [&](const Session::Batch& batch) {
                     Tensor loss;
                     {
                       const amp::Autocast autocast(options.precision);
                       loss = cross_entropy(model(batch.images), batch.labels) * batch.loss_share;
                     }
                     scaler.scale(loss).backward();
                     if (!batch.ends_step) return loss;
                     scaler.unscale(*optimizer);
                     optim::clip_grad_norm(parameters, options.clip_norm);
                     scaler.step(*optimizer);
                     scaler.update();
                     optimizer->zero_grad();
                     return loss;
                   },
                   {.scaler = &scaler});
  for (const Session::Batch& batch : session.batches(loader)) {
    if (batch.step == count_from) device.reset_counters();
    session.log(step(batch), *optimizer);
  }

  SmallRun run{.masters = {}, .counters = device.counters()};
  for (const nn::Parameter& parameter : parameters) {
    const std::vector<float> values = parameter.tensor().to_vector();
    run.masters.insert(run.masters.end(), values.begin(), values.end());
  }
  return run;
}

}  // namespace amphora::testing
