// A step that is replayed leaves the bits of the eager step: losses, loss scale, masters, moments and
// averages, over a run with an overflow, for every way to put a step together.
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "amphora/amphora.h"
#include "conformance/ledger.h"
#include "conformance/subject.h"
#include "support/backends.h"
#include "support/variable.h"

namespace amphora::conformance {
namespace {

using testing::kEmulatedCuda;

constexpr int kSteps = AMPHORA_SANITIZED ? 60 : 300;
constexpr int kOverflow = kSteps * 137 / 300;  // the step whose images are too large for any type's gradients
constexpr std::int64_t kBatch = 8;
constexpr std::int64_t kInputs = 24;
constexpr std::int64_t kClasses = 10;

// A way to put a step together.
struct Recipe {
  Precision precision = Precision::f32;
  int accumulate = 1;
  bool dropout = false;
  bool ema = false;
  bool clip = false;
  bool recompute = false;

  std::string str() const {
    return fmt::format("{}, {} {}{}{}{}{}", name_of(precision), accumulate, accumulate == 1 ? "batch" : "batches",
                       dropout ? ", dropout" : "", ema ? ", average" : "", clip ? ", clipped" : "",
                       recompute ? ", recomputed" : "");
  }
};

// Every combination, or a few of them, others in each run.
std::vector<Recipe> recipes_of(Precision precision, bool every) {
  constexpr int kStride = 11;
  std::vector<Recipe> recipes;
  for (int bits = every ? 0 : static_cast<int>(run_seed() % kStride); bits < 32; bits += every ? 1 : kStride) {
    recipes.push_back({.precision = precision,
                       .accumulate = (bits & 1) != 0 ? 4 : 1,
                       .dropout = (bits & 2) != 0,
                       .ema = (bits & 4) != 0,
                       .clip = (bits & 8) != 0,
                       .recompute = (bits & 16) != 0});
  }
  return recipes;
}

struct MicroBatch {
  Tensor images;
  Tensor labels;
  float share = 1.0f;
  bool ends_step = true;
  auto tensors() { return std::tie(images, labels); }
  std::array<std::int64_t, 1> mode() const { return {ends_step ? 1 : 0}; }
};

// Two batches take turns in the same memory, as a loader's do.
class Batches {
 public:
  explicit Batches(Device& device, std::uint64_t seed) : device_(device), seed_(seed) {
    for (MicroBatch& batch : turns_) {
      batch.images = Tensor::empty(device, {kBatch, kInputs}, DType::f32, MemoryKind::inputs);
      batch.labels = Tensor::empty(device, {kBatch}, DType::i32, MemoryKind::inputs);
    }
  }

  const MicroBatch& next(bool overflows) {
    MicroBatch& batch = turns_[static_cast<std::size_t>(count_ % 2)];
    std::vector<float> images = nn::normal({kBatch, kInputs}, 0.0f, 1.0f, {seed_, count_});
    if (overflows) {
      for (float& pixel : images) pixel *= 1e38f;
    }
    std::vector<std::int32_t> labels;
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      labels.push_back(static_cast<std::int32_t>(random_below({seed_, count_}, 1000 + i, kClasses)));
    }
    device_.upload(*batch.images.buffer(), 0, std::as_bytes(std::span(images)));
    device_.upload(*batch.labels.buffer(), 0, std::as_bytes(std::span(labels)));
    ++count_;
    return batch;
  }

 private:
  Device& device_;
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
  std::array<MicroBatch, 2> turns_;
};

// All that a run leaves, as bits.
struct Outcome {
  std::vector<double> losses;
  std::vector<ScalerState> scales;
  std::vector<float> state;
  std::size_t replayed = 0;  // plans
  std::string reason;
};

void append(std::vector<float>& all, const Tensor& tensor) {
  const std::vector<float> values = tensor.to_vector();
  all.insert(all.end(), values.begin(), values.end());
}

Outcome train(Device& device, const Recipe& recipe, bool eager, std::uint64_t seed) {
  const testing::Variable variable("AMPHORA_EAGER", eager ? "1" : "0");
  RandomSource random(seed);
  const nn::Init init{device, random};
  nn::Sequential hidden(nn::Linear(init, kInputs, 32, {.activation = Activation::relu}),
                        nn::Dropout(init, recipe.dropout ? 0.2f : 0.0f),
                        nn::Linear(init, 32, 16, {.activation = Activation::gelu}));
  hidden.recompute(recipe.recompute);
  nn::Sequential model(std::move(hidden), nn::Linear(init, 16, kClasses));
  const auto parameters = model.parameters();
  optim::AdamW optimizer(parameters);
  optimizer.follow(optim::warmup_cosine(1e-2f, 20, kSteps));
  amp::GradScaler scaler({.init_scale = 1024.0f, .growth_interval = 50});
  std::optional<optim::Ema> ema;
  if (recipe.ema) ema.emplace(parameters, 0.9f);

  train::Step step(device,
                   [&](const MicroBatch& batch) {
                     Tensor loss;
                     {
                       const amp::Autocast autocast(recipe.precision);
                       loss = cross_entropy(model(batch.images), batch.labels) * batch.share;
                     }
                     scaler.scale(loss).backward();
                     if (!batch.ends_step) return loss;
                     scaler.unscale(optimizer);
                     if (recipe.clip) optim::clip_grad_norm(parameters, 0.5f);
                     scaler.step(optimizer);
                     scaler.update();
                     optimizer.zero_grad();
                     if (ema) ema->update();
                     return loss;
                   },
                   {.scaler = &scaler});

  Outcome outcome;
  Batches batches(device, seed);
  std::deque<train::StepResult> results;  // read late, as a monitor does
  const auto read = [&] {
    outcome.losses.push_back(results.front().loss());
    outcome.scales.push_back(*results.front().scaler());
    results.pop_front();
  };
  for (int i = 0; i < kSteps; ++i) {
    for (int part = 0; part < recipe.accumulate; ++part) {
      MicroBatch batch = batches.next(i == kOverflow && part == 0);
      batch.share = 1.0f / static_cast<float>(recipe.accumulate);
      batch.ends_step = part + 1 == recipe.accumulate;
      results.push_back(step(batch));
      if (results.size() > 2) read();
    }
  }
  while (!results.empty()) read();
  for (const nn::Parameter& parameter : parameters) {
    append(outcome.state, parameter.tensor());
    append(outcome.state, optimizer.state(parameter, "m"));
    append(outcome.state, optimizer.state(parameter, "v"));
    if (ema) append(outcome.state, ema->average(parameter));
  }
  outcome.replayed = step.plans().size();
  outcome.reason = step.reason_against_replay();
  return outcome;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

class Replay : public ::testing::TestWithParam<const DecisionEntry*> {
 protected:
  void SetUp() override {
    Ledger::current().begin_test();
    // To share such small kernels between threads costs lavapipe more than to run them.
    setenv("LP_NUM_THREADS", "0", 0);
    unsetenv("GALLIVM_PERF");  // they run tens of thousands of times, optimised in less than they take
    device_ = GetParam()->open();
  }

  // A few combinations do where another entry of the same backend takes all, and where each takes long.
  static bool takes_every_recipe() {
    const DecisionEntry& entry = *GetParam();
    const bool slow = AMPHORA_SANITIZED || std::getenv("AMPHORA_VULKAN_VALIDATION") != nullptr;
    return !slow && !entry.is_variant && entry.backend != kEmulatedCuda;
  }

  std::shared_ptr<Device> device_;
};

TEST_P(Replay, LeavesTheBitsOfTheStepAsItIs) {
  for (const Precision precision : device_->info().precisions) {
    for (const Recipe& recipe : recipes_of(precision, takes_every_recipe())) {
      Ledger::Row& row = Ledger::current().begin_case(
          {GetParam()->name, fmt::format("replay, {} steps", kSteps), recipe.str(), "-"}, "replay, " + recipe.str());
      const auto expect = [&row](bool holds, const std::string& message) {
        if (holds) {
          Ledger::accept(row, 0.0);
        } else {
          Ledger::current().violate(row, message);
        }
      };
      const Outcome eager = train(*device_, recipe, true, run_seed());
      const Outcome replayed = train(*device_, recipe, false, run_seed());
      expect(eager.replayed == 0, "AMPHORA_EAGER=1 replays");
      expect(replayed.replayed == (recipe.accumulate == 1 ? 1 : 3),
             fmt::format("{} plans are replayed; {}", replayed.replayed, replayed.reason));
      expect(same_bits(replayed.losses, eager.losses), "other losses");
      expect(same_bits(replayed.scales, eager.scales), "another history of the loss scale");
      expect(same_bits(replayed.state, eager.state), "other masters, moments or averages");
      // The run shows something: the step that was to be skipped is the only one, and something was learnt.
      EXPECT_EQ(eager.scales.back().skipped, 1) << recipe.str();
      EXPECT_EQ(eager.scales[static_cast<std::size_t>(kOverflow * recipe.accumulate - 1)].skipped, 0) << recipe.str();
      EXPECT_EQ(eager.scales[static_cast<std::size_t>((kOverflow + 1) * recipe.accumulate - 1)].skipped, 1)
          << recipe.str();
    }
  }
}

// Each device as it comes: variants differ in their products alone, which are the same calls eagerly and replayed. Of
// the cpu backend also the scalar oracle.
std::vector<const DecisionEntry*> entries() {
  static const DecisionEntry vectorised{"cpu", "cpu", false, [] { return open_device("cpu", {.threads = 2}); }};
  std::vector<const DecisionEntry*> result;
  for (const DecisionEntry* entry : decisions()) {
    if (entry->backend == vectorised.backend) result.push_back(&vectorised);
    if (entry->backend == vectorised.backend || !entry->is_variant) result.push_back(entry);
  }
  return result;
}

std::string entry_name(const ::testing::TestParamInfo<const DecisionEntry*>& info) { return info.param->name; }

INSTANTIATE_TEST_SUITE_P(, Replay, ::testing::ValuesIn(entries()), entry_name);

}  // namespace
}  // namespace amphora::conformance
