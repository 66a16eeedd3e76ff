// SGD against a plain one in f64.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

using optim::Sgd;
using optim::SgdOptions;

class OptimSgd : public CpuTest {};
AMPHORA_ON_CPU(OptimSgd);

struct SgdReference {
  SgdOptions options;
  Values master;
  Values momentum = {};
  int steps = 0;

  void step(const Values& gradients) {
    momentum.resize(master.size());
    for (std::size_t i = 0; i < master.size(); ++i) {
      double g = gradients[i] + static_cast<double>(options.weight_decay) * master[i];
      if (options.momentum != 0) {
        momentum[i] = steps == 0 ? g : options.momentum * momentum[i] + (1.0 - options.dampening) * g;
        g = options.nesterov ? g + options.momentum * momentum[i] : momentum[i];
      }
      master[i] -= static_cast<double>(options.lr) * g;
    }
    ++steps;
  }
};

TEST_P(OptimSgd, TwentyStepsFollowTheReference) {
  const SgdOptions variants[] = {{.lr = 0.05f},
                                 {.lr = 0.05f, .weight_decay = 0.1f},
                                 {.lr = 0.05f, .momentum = 0.9f},
                                 {.lr = 0.05f, .momentum = 0.9f, .dampening = 0.5f},
                                 {.lr = 0.05f, .momentum = 0.9f, .nesterov = true},
                                 {.lr = 0.05f, .momentum = 0.9f, .weight_decay = 0.1f, .nesterov = true}};
  Random random;
  for (const SgdOptions& options : variants) {
    const nn::Parameter w = parameter(random.normals(133));
    SgdReference reference{options, w.tensor().to_doubles()};
    Sgd sgd({w}, options);
    for (int step = 0; step < 20; ++step) {
      const Values gradient = random.normals(133);
      set_gradient(w, gradient);
      sgd.step();
      reference.step(w.grad().to_doubles());
      sgd.zero_grad();
    }
    // Normal gradients keep |momentum| below 60 and |w| below 100. A step rounds w once and the momentum a few times;
    // an error in the momentum lives on for 1 / (1 - 0.9) steps of rate 0.05, so it counts half: in all
    // 20 * (100 + 4 * 60 / 2) * 2^-24 at the very most, and 2 of it for values of order one.
    EXPECT_TRUE(close_values(w.tensor().to_doubles(), reference.master, 20 * 20 * 0x1p-24))
        << "momentum " << options.momentum << ", decay " << options.weight_decay << ", nesterov " << options.nesterov;
    if (options.momentum != 0) {
      EXPECT_TRUE(close_values(sgd.state(w, "momentum").to_doubles(), reference.momentum, 20 * 20 * 0x1p-24));
    }
    EXPECT_EQ(sgd.steps(), 20);
  }
}

TEST_P(OptimSgd, TheFirstStepTakesTheGradientAsMomentum) {
  const nn::Parameter w = parameter({1});
  Sgd sgd({w}, {.lr = 0.5f, .momentum = 0.5f, .dampening = 0.75f});
  set_gradient(w, {2});
  sgd.step();
  EXPECT_EQ(sgd.state(w, "momentum").item(), 2);
  EXPECT_EQ(w.tensor().item(), 0);
  set_gradient(w, {4});
  sgd.step();
  EXPECT_EQ(sgd.state(w, "momentum").item(), 1 + 0.25 * 4);
  EXPECT_EQ(w.tensor().item(), -1);
}

TEST_P(OptimSgd, PlainSgdKeepsNoState) {
  const nn::Parameter w = parameter({1, 2});
  const Sgd sgd({w});
  EXPECT_THROW(sgd.state(w, "momentum"), Error);
  EXPECT_EQ(device->memory().current[static_cast<int>(MemoryKind::optimizer_state)], sizeof(GroupState));
}

TEST_P(OptimSgd, OptionsOutOfRangeAreErrors) {
  const nn::Parameter w = parameter({1});
  for (const SgdOptions& bad :
       {SgdOptions{.lr = -1}, SgdOptions{.lr = static_cast<float>(kInf)}, SgdOptions{.lr = static_cast<float>(kNan)},
        SgdOptions{.momentum = -0.1f}, SgdOptions{.weight_decay = -1}, SgdOptions{.nesterov = true},
        SgdOptions{.momentum = 0.9f, .dampening = 0.1f, .nesterov = true}}) {
    EXPECT_THROW(Sgd({w}, bad), Error);
  }
  EXPECT_THROW(Sgd(optim::Parameters{}), Error);
  EXPECT_NO_THROW(Sgd({w}, {.lr = 0}));
}

}  // namespace
}  // namespace amphora::testing
