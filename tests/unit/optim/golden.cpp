// Lion, RMSprop and Adagrad against numbers that PyTorch's f64 gave (Lion: the paper's lines in PyTorch).
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class OptimGolden : public CpuTest {
 protected:
  // Four steps from the same weights with the same gradients; what the weights are after each.
  void expect_weights(const std::function<std::unique_ptr<optim::Optimizer>(const optim::Parameters&)>& make,
                      const std::vector<Values>& expected) {
    const std::vector<Values> gradients = {{0.5, -1, 0.25}, {-0.75, 0.5, 2}, {1.5, 0, -0.5}, {0.125, -2, 1}};
    const nn::Parameter w = parameter({1, -2, 0.5});
    const auto optimizer = make({w});
    for (std::size_t step = 0; step < gradients.size(); ++step) {
      set_gradient(w, gradients[step]);
      optimizer->step();
      // A step rounds a weight below 2 once and moves it by at most 0.2, good to 100 units of 2^-24.
      EXPECT_TRUE(close_values(w.tensor().to_doubles(), expected[step], 4 * (2 + 0.2 * 100) * 0x1p-24)) << step;
    }
  }
  template <class Kind, class Options>
  void expect_weights_of(const Options& options, const std::vector<Values>& expected) {
    expect_weights([&](const optim::Parameters& parameters) { return std::make_unique<Kind>(parameters, options); },
                   expected);
  }
};
AMPHORA_ON_CPU(OptimGolden);

TEST_P(OptimGolden, Lion) {
  expect_weights_of<optim::Lion>(optim::LionOptions{.lr = 0.1f}, {{0.89999999851, -1.89999999851, 0.39999999851},
                                                                  {1.0, -2.0, 0.29999999702},
                                                                  {0.89999999851, -1.89999999851, 0.39999999851},
                                                                  {0.79999999702, -1.79999999702, 0.29999999702}});
}

TEST_P(OptimGolden, LionWithWeightDecay) {
  expect_weights_of<optim::Lion>(optim::LionOptions{.lr = 0.1f, .beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.5f},
                                 {{0.849999997765, -1.79999999702, 0.374999998137},
                                  {0.907499998733, -1.809999997318, 0.256249996461},
                                  {0.76212499663, -1.619499994613, 0.143437494957},
                                  {0.624018744741, -1.438524992186, 0.036265618612}});
}

TEST_P(OptimGolden, Rmsprop) {
  expect_weights_of<optim::Rmsprop>(optim::RmspropOptions{.lr = 0.05f, .alpha = 0.9},
                                    {{0.841886124636, -1.841886119636, 0.341886134635},
                                     {0.975516742821, -1.915607096638, 0.184872400365},
                                     {0.837634885016, -1.915607096638, 0.224901231462},
                                     {0.825558576763, -1.773206935232, 0.150452954326}});
}

TEST_P(OptimGolden, RmspropWithMomentumAndWeightDecay) {
  expect_weights_of<optim::Rmsprop>(
      optim::RmspropOptions{.lr = 0.05f, .alpha = 0.9, .epsilon = 1e-3f, .momentum = 0.8f, .weight_decay = 0.1f},
      {{0.842715078993, -1.8423016862, 0.343535396445},
       {0.836629913237, -1.758291523748, 0.062015459486},
       {0.691997934031, -1.666646082624, -0.124424105734},
       {0.55834513937, -1.451908993253, -0.346173117219}});
}

TEST_P(OptimGolden, CenteredRmsprop) {
  expect_weights_of<optim::Rmsprop>(optim::RmspropOptions{.lr = 0.05f, .alpha = 0.9, .centered = true},
                                    {{0.833333341961, -1.833333336405, 0.333333353072},
                                     {0.967734171789, -1.907572569172, 0.165760918616},
                                     {0.826185932021, -1.907572569172, 0.207000928366},
                                     {0.813752195435, -1.756669392416, 0.12751815481}});
}

TEST_P(OptimGolden, CenteredRmspropWithMomentum) {
  expect_weights_of<optim::Rmsprop>(
      optim::RmspropOptions{.lr = 0.05f, .alpha = 0.9, .momentum = 0.8f, .centered = true},
      {{0.833333341961, -1.833333336405, 0.333333353072},
       {0.834400843371, -1.774239236309, 0.032427599087},
       {0.693706604744, -1.726963955528, -0.167056997938},
       {0.568717475579, -1.538240553584, -0.406127451492}});
}

TEST_P(OptimGolden, Adagrad) {
  expect_weights_of<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1f},
                                    {{0.89999999853, -1.89999999852, 0.39999999855},
                                     {0.983205029194, -1.944721358732, 0.300772209405},
                                     {0.897490742208, -1.944721358732, 0.32484938038},
                                     {0.890366037103, -1.857434201341, 0.281463288171}});
}

TEST_P(OptimGolden, AdagradWithAllItsOptions) {
  expect_weights_of<optim::Adagrad>(
      optim::AdagradOptions{
          .lr = 0.1f, .lr_decay = 0.2f, .epsilon = 1e-3f, .weight_decay = 0.1f, .initial_accumulator = 0.5f},
      {{0.935370027316, -1.913906830923, 0.460994107391},
       {0.983475368258, -1.931921060303, 0.383012731486},
       {0.925286967526, -1.922342374508, 0.397769781468},
       {0.91839988015, -1.870120073557, 0.37140524461}});
}

TEST_P(OptimGolden, OptionsOutOfRangeAreErrors) {
  const nn::Parameter w = parameter({1});
  for (const optim::LionOptions& bad :
       {optim::LionOptions{.lr = -1}, {.beta1 = 1}, {.beta2 = -0.1}, {.weight_decay = -1}}) {
    EXPECT_THROW(optim::Lion({w}, bad), Error);
  }
  for (const optim::RmspropOptions& bad :
       {optim::RmspropOptions{.lr = -1}, {.alpha = 1}, {.epsilon = -1}, {.momentum = -1}, {.weight_decay = -1}}) {
    EXPECT_THROW(optim::Rmsprop({w}, bad), Error);
  }
  for (const optim::AdagradOptions& bad : {optim::AdagradOptions{.lr = -1},
                                           {.lr_decay = -1},
                                           {.epsilon = -1},
                                           {.weight_decay = -1},
                                           {.initial_accumulator = -1}}) {
    EXPECT_THROW(optim::Adagrad({w}, bad), Error);
  }
}

}  // namespace
}  // namespace amphora::testing
