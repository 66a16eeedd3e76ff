// Trains two layers through the installed library; fails unless they learn.
#include <cstdio>
#include <vector>

#include <amphora/amphora.h>

static_assert(AMPHORA_VERSION_MAJOR == 0 && AMPHORA_VERSION_MINOR >= 1);

#if defined(AMPHORA_VULKAN) || defined(VK_NO_PROTOTYPES) || defined(HWY_SHARED_DEFINE)
#error "what amphora is built with is no business of the programs that use it"
#endif

// Names that are the user's own.
struct AdamParams {
  int of_my_own;
};
struct ScalerState {};
#if defined(AM_STRUCT) || defined(AM_INT) || defined(AM_UINT32) || defined(AM_FLOAT) || defined(AM_PARAMS) || \
    defined(AM_UNARY) || defined(AM_BINARY)
#error "amphora leaves macros behind"
#endif

namespace am = amphora;

int main() {
  const auto device = am::open_device("cpu");
  am::RandomSource random(1);
  am::nn::Linear first({*device, random}, 2, 16, {.activation = am::Activation::relu});
  am::nn::Linear second({*device, random}, 16, 1);
  std::vector<am::nn::Parameter> parameters = first.parameters();
  for (const am::nn::Parameter& parameter : second.parameters()) parameters.push_back(parameter);
  am::optim::Adam optimizer(parameters, {.lr = 1e-2f});

  // Exclusive or.
  const am::Tensor x = am::Tensor::from(*device, {4, 2}, std::vector<float>{0, 0, 0, 1, 1, 0, 1, 1});
  const am::Tensor y = am::Tensor::from(*device, {4, 1}, std::vector<float>{0, 1, 1, 0});
  am::train::Step step(*device, [&](const std::vector<am::Tensor>& batch) {
    am::Tensor loss = am::mse_loss(second(first(batch[0])), batch[1]);
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    return loss;
  });
  const std::vector<am::Tensor> batch{x, y};
  const double before = step(batch).loss();
  double after = before;
  for (int i = 0; i < 200; ++i) after = step(batch).loss();
  std::printf("loss %g -> %g\n", before, after);
  return after < 0.1 * before ? 0 : 1;
}
