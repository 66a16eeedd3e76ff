#include "amphora/app/roofline.h"

#include <algorithm>
#include <limits>

#include "amphora/tensor/launch.h"
#include "amphora/tensor/tensor.h"

namespace amphora::app {

namespace {

constexpr int kLaunches = 5;
constexpr std::int64_t kCopied = std::int64_t{16} << 20;  // elements of f32
constexpr std::int32_t kSide = 1024;

}  // namespace

double time_of(Device& device, const KernelCall& call, int launches) {
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < launches; ++i) shortest = std::min(shortest, device.timed_launch(call).seconds);
  return shortest;
}

double Roofline::bound(const KernelCall& call) {
  const Cost cost = cost_of(call);
  const double memory = cost.bytes / bytes_per_second();
  // Only products reach the units that their ceiling is measured on; all else is bound by memory.
  if (call.id != KernelId::matmul) return memory;
  return std::max(memory, cost.flops / flops_per_second(call.type_at(op::matmul::a)));
}

double Roofline::bytes_per_second() {
  if (bytes_per_second_ > 0.0) return bytes_per_second_;
  const Tensor from = Tensor::zeros(device_, {kCopied});
  const Tensor to = Tensor::zeros(device_, {kCopied});
  const KernelCall call = KernelCall(KernelId::cast, Spec{}, CountParams{static_cast<std::uint32_t>(kCopied)})
                              .with(range_of(from))
                              .with(range_of(to));
  bytes_per_second_ = cost_of(call).bytes / time_of(device_, call, kLaunches);
  return bytes_per_second_;
}

double Roofline::flops_per_second(DType operand) {
  double& rate = flops_per_second_[operand];
  if (rate > 0.0) return rate;
  const Tensor a = Tensor::zeros(device_, {kSide, kSide}, operand);
  const Tensor b = Tensor::zeros(device_, {kSide, kSide}, operand);
  const Tensor c = Tensor::zeros(device_, {kSide, kSide}, operand);
  const MatmulParams params{.m = kSide,
                            .n = kSide,
                            .k = kSide,
                            .batch = 1,
                            .lda = kSide,
                            .ldb = kSide,
                            .ldc = kSide,
                            .a_batch_stride = 0,
                            .b_batch_stride = 0,
                            .c_batch_stride = 0,
                            .alpha = 1.0f,
                            .beta = 0.0f};
  const KernelCall call = KernelCall(KernelId::matmul, Spec{.types = {operand, operand, operand}}, params)
                              .with(range_of(a))
                              .with(range_of(b))
                              .with(range_of(c));
  rate = cost_of(call).flops / time_of(device_, call, kLaunches);
  return rate;
}

}  // namespace amphora::app
