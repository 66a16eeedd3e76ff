#include "conformance/cpu_target.h"

#include <algorithm>
#include <map>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/kernel/operands.h"
#include "amphora/kernel/validate.h"
#include "backends/cpu/backend.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/simd/targets.h"

namespace amphora::conformance {
namespace {

// Lets Highway's dispatch choose one target while it lives.
class TargetScope {
 public:
  explicit TargetScope(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
  }
  TargetScope(const TargetScope&) = delete;
  TargetScope& operator=(const TargetScope&) = delete;
  ~TargetScope() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().DeInit();
  }
};

// What training with f32 masters never asks for, or what is a handful of scalars, is left to the oracle.
bool may_be_scalar(KernelId kernel, const Spec& spec) {
  if (kernel == KernelId::reduce_grad || kernel == KernelId::begin_step || kernel == KernelId::scaler_update) {
    return true;
  }
  if (kernel == KernelId::matmul && (spec.flags & kMatmulBiasGradient) != 0) return true;
  const auto beyond = [](DType type) { return type == DType::f64 || type == DType::i32; };
  return std::any_of(spec.types.begin(), spec.types.end(), beyond) ||
         (kernel == KernelId::copy && spec.types[op::copy::in] != spec.types[op::copy::out]);
}

class CpuTarget : public Subject {
 public:
  CpuTarget(std::string name, std::int64_t target)
      : Subject(std::move(name), cpu::kBackend.accuracy), target_(target) {}

  bool compiles() const override { return false; }

  Support supports(KernelId kernel, const Spec& spec) override {
    const TargetScope scope(target_);
    const std::string reason = reason_against(kernel, spec, true);
    if (!reason.empty()) return {false, reason};
    if (cpu::simd::find_launcher(kernel, spec) != nullptr) return {true, "simd"};
    require(may_be_scalar(kernel, spec), "{} has no vectorised form for these types", name_of(kernel));
    return {true, "oracle"};
  }

  void launch(const KernelCall& call, std::vector<Array>& arrays, int thread_count) override {
    const TargetScope scope(target_);
    KernelCall bound = call;
    for (const Array& array : arrays) bound.with(array.range());
    if (is_empty(bound)) return;  // which Device keeps from launchers
    cpu::Launcher launcher = cpu::simd::find_launcher(call.id, call.spec);
    if (launcher == nullptr) launcher = cpu::oracle::find_launcher(call.id);
    launcher(bound, threads(thread_count));
  }

 private:
  std::int64_t target_;
};

}  // namespace

std::unique_ptr<Subject> cpu_target(std::string name, std::int64_t target) {
  return std::make_unique<CpuTarget>(std::move(name), target);
}

cpu::Threads& threads(int count) {
  static std::map<int, std::unique_ptr<cpu::Threads>> pools;
  auto& pool = pools[count];
  if (pool == nullptr) pool = std::make_unique<cpu::Threads>(count);
  return *pool;
}

}  // namespace amphora::conformance
