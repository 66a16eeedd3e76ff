#include "amphora/nn/dropout.h"

#include <cstring>

#include "amphora/core/error.h"
#include "amphora/ops/dropout.h"
#include "amphora/plan/recorder.h"

namespace amphora::nn {

Dropout::Dropout(const Init& init, float p) : stream_(init.random.next()), p_(p) {
  require(p >= 0.0f && p < 1.0f, "Dropout with probability {}; it must be at least 0 and below 1", p);
}

void Dropout::visit_parts(PartVisitor& visit) { visit("calls", *calls_); }

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || p_ == 0.0f) return x;
  const Draw call = draw_once([this] { return next_call(); });
  // The upper half of the stream's number tells the calls apart.
  return dropout(x, p_, {stream_.seed, stream_.stream | std::uint64_t{call.number} << 32}, call.fed);
}

Draw Dropout::next_call() {
  plan::Recorder* recorder = plan::Recorder::capturing();
  if (recorder == nullptr) return {.number = ++*calls_};
  return {.fed = recorder->feed("dropout call", sizeof(std::uint32_t), [calls = calls_](auto bytes) {
    const std::uint32_t call = ++*calls;
    std::memcpy(bytes.data(), &call, sizeof call);
  })};
}

}  // namespace amphora::nn
