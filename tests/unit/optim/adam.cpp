// Adam and AdamW against plain ones in f64.
#include <cmath>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

using optim::Adam;
using optim::AdamOptions;
using optim::AdamW;

class OptimAdam : public CpuTest {};
AMPHORA_ON_CPU(OptimAdam);

optim::AdamWOptions decoupled_options(const AdamOptions& o) {
  return {.lr = o.lr, .beta1 = o.beta1, .beta2 = o.beta2, .epsilon = o.epsilon, .weight_decay = o.weight_decay};
}

struct AdamReference {
  AdamOptions options;
  bool decoupled;
  Values master;
  Values m = {};
  Values v = {};
  int steps = 0;

  void step(const Values& gradients) {
    m.resize(master.size());
    v.resize(master.size());
    ++steps;
    const double lr = options.lr;
    for (std::size_t i = 0; i < master.size(); ++i) {
      double g = gradients[i];
      if (decoupled) {
        master[i] *= 1 - lr * options.weight_decay;
      } else {
        g += static_cast<double>(options.weight_decay) * master[i];
      }
      m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
      const double corrected = std::sqrt(v[i] / (1 - std::pow(options.beta2, steps)));
      master[i] -=
          lr * m[i] / (1 - std::pow(options.beta1, steps)) / (corrected + static_cast<double>(options.epsilon));
    }
  }
};

TEST_P(OptimAdam, TwentyStepsFollowTheReference) {
  Random random;
  const AdamOptions variants[] = {{.lr = 0.05f},
                                  {.lr = 0.05f, .weight_decay = 0.1f},
                                  {.lr = 0.05f, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 1e-3f, .weight_decay = 0.5f},
                                  {.lr = 0.05f, .beta1 = 0.0, .beta2 = 0.95}};
  for (const bool decoupled : {false, true}) {
    for (const AdamOptions& options : variants) {
      const nn::Parameter w = parameter(random.normals(133));
      AdamReference reference{options, decoupled, w.tensor().to_doubles()};
      std::unique_ptr<optim::Optimizer> adam;
      if (decoupled) {
        adam = std::make_unique<AdamW>(optim::Parameters{w}, decoupled_options(options));
      } else {
        adam = std::make_unique<Adam>(optim::Parameters{w}, options);
      }
      for (int step = 0; step < 20; ++step) {
        set_gradient(w, random.normals(133));
        adam->step();
        reference.step(w.grad().to_doubles());
      }
      // A step rounds w once (|w| below 8) and moves it by the rate times a quotient below 10, which a dozen roundings
      // and the moments' own (at most 20 steps of 3 units, halved by the root for v) leave good to 100 units of 2^-24;
      // over 20 steps 20 * (8 + 0.05 * 10 * 100) * 2^-24.
      const double tolerance = 20 * (8 + 50) * 0x1p-24;
      EXPECT_TRUE(close_values(w.tensor().to_doubles(), reference.master, tolerance))
          << "decoupled " << decoupled << ", decay " << options.weight_decay << ", beta1 " << options.beta1;
      EXPECT_TRUE(close_values(adam->state(w, "m").to_doubles(), reference.m, 20 * 8 * 0x1p-24));
      EXPECT_TRUE(close_values(adam->state(w, "v").to_doubles(), reference.v, 20 * 8 * 0x1p-24));
      EXPECT_EQ(adam->steps(), 20);
    }
  }
}

TEST_P(OptimAdam, TheFirstStepHasTheSizeOfTheRate) {
  for (const double gradient : {1e-4, 1.0, -1e4}) {
    const nn::Parameter w = parameter({0});
    Adam adam({w}, {.lr = 0.1f});
    set_gradient(w, {gradient});
    adam.step();
    // m / sqrt(v) is the gradient's sign after the corrections; epsilon takes 1e-4 of it away at the smallest gradient.
    EXPECT_NEAR(w.tensor().item(), gradient > 0 ? -0.1 : 0.1, 0.1 * (1e-4 + 16 * 0x1p-24));
  }
}

TEST_P(OptimAdam, DecayAloneShrinksTheMaster) {
  const nn::Parameter w = parameter({1});
  AdamW adamw({w}, {.lr = 0.5f, .weight_decay = 0.5f});
  set_gradient(w, {0});
  adamw.step();
  EXPECT_EQ(w.tensor().item(), 0.75);
  EXPECT_EQ(adamw.state(w, "m").item(), 0);
}

TEST_P(OptimAdam, AdamWDecaysByDefaultAndAdamDoesNot) {
  const nn::Parameter a = parameter({1});
  const nn::Parameter b = parameter({1});
  AdamW adamw({a}, {.lr = 1e-2f});  // other options leave the decay's default
  Adam adam({b});
  set_gradient(a, {0});
  set_gradient(b, {0});
  adamw.step();
  adam.step();
  EXPECT_LT(a.tensor().item(), 1);
  EXPECT_EQ(b.tensor().item(), 1);
}

TEST_P(OptimAdam, OptionsOutOfRangeAreErrors) {
  const nn::Parameter w = parameter({1});
  for (const AdamOptions& bad :
       {AdamOptions{.lr = -1}, AdamOptions{.beta1 = 1}, AdamOptions{.beta1 = -0.1}, AdamOptions{.beta2 = 1},
        AdamOptions{.beta2 = kNan}, AdamOptions{.epsilon = -1}, AdamOptions{.weight_decay = -1}}) {
    EXPECT_THROW(Adam({w}, bad), Error);
    EXPECT_THROW(AdamW({w}, decoupled_options(bad)), Error);
  }
}

}  // namespace
}  // namespace amphora::testing
