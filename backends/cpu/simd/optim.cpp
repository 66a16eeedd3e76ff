// sgd, adam, lerp: masters, state and working copy in one pass, with the order and the roundings of PyTorch.
#include <cmath>

#include "amphora/core/error.h"
#include "amphora/kernel/two_floats.h"
#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/optim.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

HWY_INLINE Floats splat(float value) { return hn::Set(FloatTag(), value); }

// Two forms, so that weight 1 gives `to` exactly (PyTorch's rule). `weight` is the same in all lanes.
class Lerp {
 public:
  explicit Lerp(float weight) : low_(weight < 0.5f), weight_(splat(weight)), rest_(splat(1.0f - weight)) {}

  HWY_INLINE Floats operator()(Floats from, Floats to) const {
    const Floats difference = hn::Sub(to, from);
    return low_ ? hn::Add(from, hn::Mul(weight_, difference)) : hn::Sub(to, hn::Mul(difference, rest_));
  }

 private:
  bool low_;
  Floats weight_;
  Floats rest_;
};

// Runs update(i, count) over [begin, end) a vector at a time; count is below kLanes only at the very end.
template <class Update>
HWY_INLINE void for_vectors(std::size_t begin, std::size_t end, const Update& update) {
  for (; begin + kLanes <= end; begin += kLanes) update(begin, kLanes);
  if (begin < end) update(begin, end - begin);
}

template <class T>
HWY_INLINE Floats get(const T* p, std::size_t count) {
  return HWY_LIKELY(count == kLanes) ? load(p) : load_part(p, count);
}
template <class T>
HWY_INLINE void put(Floats values, T* p, std::size_t count) {
  if (HWY_LIKELY(count == kLanes)) {
    store(values, p);
  } else {
    store_part(values, p, count);
  }
}

template <class Working>
void adam(const KernelCall& call, Threads& threads) {
  const auto& group = *data_of<GroupState>(call, op::adam::group);
  if (group.skip != 0) return;
  const auto params = call.params<AdamParams>();
  const auto* gradient = data_of<float>(call, op::adam::gradient);
  auto* master = data_of<float>(call, op::adam::master);
  auto* working = data_of<Working>(call, op::adam::working);
  auto* mean = data_of<float>(call, op::adam::m);
  auto* square = data_of<float>(call, op::adam::v);
  const bool decays = params.weight_decay != 0.0f;
  // A factor of 1 changes nothing, so the common case costs no branch.
  const bool shrinks = decays && params.decoupled != 0;
  const auto shrink = static_cast<float>(1.0 - static_cast<double>(group.lr) * params.weight_decay);
  const bool adds_decay = decays && params.decoupled == 0;
  run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) HWY_ATTR {
    const Lerp lerp_mean(static_cast<float>(1.0 - joined(params.beta1, params.beta1_low)));
    const Floats factor = splat(group.gradient_factor), decay = splat(params.weight_decay);
    const Floats keep = splat(shrinks ? shrink : 1.0f);
    const Floats beta2 = splat(params.beta2);
    const Floats complement2 = splat(static_cast<float>(1.0 - joined(params.beta2, params.beta2_low)));
    const Floats correction2 = splat(group.bias_correction2), epsilon = splat(params.epsilon);
    const Floats step_size = splat(group.lr / group.bias_correction1);
    for_vectors(begin, end, [&](std::size_t i, std::size_t count) HWY_ATTR {
      Floats value = get(master + i, count);
      Floats g = hn::Mul(get(gradient + i, count), factor);
      if (adds_decay) g = hn::Add(g, hn::Mul(decay, value));
      value = hn::Mul(value, keep);
      const Floats m = lerp_mean(get(mean + i, count), g);
      const Floats v = hn::Add(hn::Mul(get(square + i, count), beta2), hn::Mul(hn::Mul(complement2, g), g));
      const Floats denominator = hn::Add(hn::Div(hn::Sqrt(v), correction2), epsilon);
      value = hn::Sub(value, hn::Div(hn::Mul(step_size, m), denominator));
      put(m, mean + i, count);
      put(v, square + i, count);
      put(value, master + i, count);
      if (working != nullptr) put(value, working + i, count);
    });
  });
}

template <class Working>
void sgd(const KernelCall& call, Threads& threads) {
  const auto& group = *data_of<GroupState>(call, op::sgd::group);
  if (group.skip != 0) return;
  const auto params = call.params<SgdParams>();
  const auto* gradient = data_of<float>(call, op::sgd::gradient);
  auto* master = data_of<float>(call, op::sgd::master);
  auto* momentum = data_of<float>(call, op::sgd::momentum);
  auto* working = data_of<Working>(call, op::sgd::working);
  const bool remembers = params.momentum != 0.0f;
  require(!remembers || momentum != nullptr, "sgd on cpu: momentum {} needs a momentum buffer", params.momentum);
  const bool first = group.step == 1;  // the buffer holds nothing yet
  run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) HWY_ATTR {
    const Floats factor = splat(group.gradient_factor), decay = splat(params.weight_decay);
    const Floats mu = splat(params.momentum), undamped = splat(1.0f - params.dampening), lr = splat(group.lr);
    for_vectors(begin, end, [&](std::size_t i, std::size_t count) HWY_ATTR {
      Floats value = get(master + i, count);
      Floats g = hn::Mul(get(gradient + i, count), factor);
      if (params.weight_decay != 0.0f) g = hn::Add(g, hn::Mul(decay, value));
      if (remembers) {
        Floats velocity = g;
        if (!first) velocity = hn::Add(hn::Mul(get(momentum + i, count), mu), hn::Mul(undamped, g));
        put(velocity, momentum + i, count);
        g = params.nesterov != 0 ? hn::Add(g, hn::Mul(mu, velocity)) : velocity;
      }
      value = hn::Sub(value, hn::Mul(lr, g));
      put(value, master + i, count);
      if (working != nullptr) put(value, working + i, count);
    });
  });
}

void lerp(const KernelCall& call, Threads& threads) {
  const auto params = call.params<LerpParams>();
  const auto* source = data_of<float>(call, op::lerp::source);
  auto* average = data_of<float>(call, op::lerp::average);
  run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) HWY_ATTR {
    const Lerp mix(params.weight);
    for_vectors(begin, end, [&](std::size_t i, std::size_t count) HWY_ATTR {
      put(mix(get(average + i, count), get(source + i, count)), average + i, count);
    });
  });
}

template <class Working>
Launcher find_for(KernelId kernel) {
  return kernel == KernelId::adam ? adam<Working> : sgd<Working>;
}

Launcher find_step(KernelId kernel, DType working) {
  if (kernel == KernelId::lerp) return lerp;
  switch (working) {
    case DType::f32: return find_for<float>(kernel);
    case DType::f16: return find_for<F16>(kernel);
    case DType::bf16: return find_for<BF16>(kernel);
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_step);

Launcher find_optim(KernelId kernel, const Spec& spec) {
  if (kernel != KernelId::sgd && kernel != KernelId::adam && kernel != KernelId::lerp) return nullptr;
  const auto& types = spec.types;
  if (types[0] != DType::f32 || types[1] != DType::f32) return nullptr;
  const bool is_adam = kernel == KernelId::adam;
  // The state: m and v, or the momentum.
  if (kernel != KernelId::lerp && types[is_adam ? 3 : 2] != DType::f32) return nullptr;
  return HWY_DYNAMIC_DISPATCH(find_step)(kernel, types[is_adam ? 2 : 3]);
}

}  // namespace amphora::cpu::simd
#endif
