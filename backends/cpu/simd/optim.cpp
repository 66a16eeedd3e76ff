// optimizer_step, lerp: masters, state and working copy in one pass, with the order and the roundings of PyTorch.
#include <algorithm>
#include <string_view>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/optim.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/math-inl.h"

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

HWY_INLINE bool has_buffer(const KernelCall& call, int index) { return call.at(index).buffer != nullptr; }

// Calls update(g, value, first, second, third) for each vector of elements, with its states; those that are absent are
// 0. The first kNeeded states are there, and the first kNamed may be, so that nothing is asked in the loop that the
// rule's row says.
template <class Working, int kNeeded, int kNamed, class Update>
HWY_INLINE void for_each_vector(const KernelCall& call, Threads& threads, const Update& update) {
  const auto* gradient = data_of<float>(call, op::optimizer_step::gradient);
  auto* master = data_of<float>(call, op::optimizer_step::master);
  auto* working = data_of<Working>(call, op::optimizer_step::working);
  float* const states[] = {data_of<float>(call, op::optimizer_step::first),
                           data_of<float>(call, op::optimizer_step::second),
                           data_of<float>(call, op::optimizer_step::third)};
  const auto has = [&states](int k) HWY_ATTR { return k < kNeeded || (k < kNamed && states[k] != nullptr); };
  const float scale = data_of<GroupState>(call, op::optimizer_step::group)->gradient_factor;
  run_chunks(threads, call.params<OptimizerParams>().count, [&](std::size_t begin, std::size_t end) HWY_ATTR {
    const Value factor = constant(scale);
    for_vectors(begin, end, [&](std::size_t i, std::size_t count) HWY_ATTR {
      const auto state = [&](int k) HWY_ATTR { return has(k) ? Value{get(states[k] + i, count)} : constant(0.0f); };
      Value value{get(master + i, count)}, first = state(0), second = state(1), third = state(2);
      update(Value{get(gradient + i, count)} * factor, value, first, second, third);
      if (has(0)) put(first.v, states[0] + i, count);
      if (has(1)) put(second.v, states[1] + i, count);
      if (has(2)) put(third.v, states[2] + i, count);
      put(value.v, master + i, count);
      if (working != nullptr) put(value.v, working + i, count);
    });
  });
}

// Of a row's presence: letters of states that are needed come first.
constexpr int needed_states(std::string_view presence) {
  return static_cast<int>(std::min(presence.find_first_not_of('n'), presence.size()));
}

HWY_INLINE Value operator*(Value a, float b) { return a * constant(b); }
HWY_INLINE Value operator*(float a, Value b) { return constant(a) * b; }
HWY_INLINE Value operator+(Value a, float b) { return a + constant(b); }
HWY_INLINE Value quotient(Value a, Value b) { return a / b; }
HWY_INLINE Value quotient(Value a, float b) { return a / constant(b); }
HWY_INLINE float quotient(float a, float b) { return a / b; }

#undef AM_SCALAR
#define AM_SCALAR float
#undef AM_VALUE
#define AM_VALUE Value
#undef C
#define C(number) constant(static_cast<float>(number))
#undef DIV
#define DIV(a, b) quotient(a, b)
#undef SQRT
#define SQRT(x) square_root(x)
#undef ONE_PLUS
#define ONE_PLUS(a, b) static_cast<float>(1.0 + static_cast<double>(a) * static_cast<double>(b))
#undef LERP
#define LERP(from, to, weight) \
  Value { Lerp(weight)((from).v, (to).v) }
#undef SELECT
#define SELECT(condition, then, otherwise) select(condition, then, otherwise)
#undef LESS
#define LESS(a, b) less(a, b)
#undef HAS
#define HAS(state) has_##state
#undef AM_CONSTANT
#define AM_CONSTANT(name) [[maybe_unused]] const float name = params.constants[next++];
#undef AM_OPTIMIZER
#define AM_OPTIMIZER(name, presence, first_state, second_state, third_state, constants, prepared, update)     \
  template <class Working>                                                                                    \
  void name(const KernelCall& call, Threads& threads) {                                                       \
    const auto& group = *data_of<GroupState>(call, op::optimizer_step::group);                                \
    if (group.skip != 0) return;                                                                              \
    const auto params = call.params<OptimizerParams>();                                                       \
    [[maybe_unused]] const float lr = group.lr, step = static_cast<float>(group.step);                        \
    [[maybe_unused]] const float correction1 = group.correction1, correction2 = group.correction2;            \
    [[maybe_unused]] const bool HAS(first_state) = has_buffer(call, op::optimizer_step::first);               \
    [[maybe_unused]] const bool HAS(second_state) = has_buffer(call, op::optimizer_step::second);             \
    [[maybe_unused]] const bool HAS(third_state) = has_buffer(call, op::optimizer_step::third);               \
    int next = 0;                                                                                             \
    constants prepared for_each_vector<Working, needed_states(presence), sizeof(presence) - 1>(               \
        call, threads,                                                                                        \
        [&](Value g, Value& value, [[maybe_unused]] Value& first_state, [[maybe_unused]] Value& second_state, \
            [[maybe_unused]] Value& third_state) HWY_ATTR { update });                                        \
  }
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER

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
Launcher find_rule(std::uint8_t rule) {
  constexpr Launcher kRules[] = {
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) name<Working>,
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
  };
  return kRules[rule];
}

Launcher find_step(KernelId kernel, const Spec& spec) {
  if (kernel == KernelId::lerp) return lerp;
  switch (spec.types[op::optimizer_step::working]) {
    case DType::f32: return find_rule<float>(spec.function);
    case DType::f16: return find_rule<F16>(spec.function);
    case DType::bf16: return find_rule<BF16>(spec.function);
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {

HWY_EXPORT(find_step);

Launcher find_optim(KernelId kernel, const Spec& spec) {
  if (kernel != KernelId::optimizer_step && kernel != KernelId::lerp) return nullptr;
  const auto& types = spec.types;
  if (types[0] != DType::f32 || types[1] != DType::f32) return nullptr;
  if (kernel == KernelId::optimizer_step && types[op::optimizer_step::first] != DType::f32) return nullptr;
  return HWY_DYNAMIC_DISPATCH(find_step)(kernel, spec);
}

}  // namespace amphora::cpu::simd
#endif
