// Plans by hand: values of a size, and calls on all or parts of them.
#pragma once

#include <utility>
#include <vector>

#include "amphora/kernel/dense_product.h"
#include "amphora/plan/plan.h"

namespace amphora::testing {

class PlanBuilder {
 public:
  // A part of a value: all of it unless told.
  struct Part {
    Part(int number) : value(number) {}  // NOLINT(google-explicit-constructor): values stand for themselves
    Part(int number, std::size_t first, std::size_t count) : value(number), offset(first), bytes(count) {}
    int value;
    std::size_t offset = 0;
    std::size_t bytes = 0;
  };

  int value(std::size_t bytes, plan::Role role = plan::Role::transient) {
    plan.values.push_back({.role = role, .bytes = bytes});
    if (role == plan::Role::input) plan.values.back().input = inputs_++;
    return static_cast<int>(plan.values.size()) - 1;
  }

  void call(const KernelCall& call, const std::vector<Part>& parts, const char* phase = "") {
    plan::PlannedCall planned{.call = call, .values = {}, .phase = phase, .op = "", .module = ""};
    planned.values.fill(plan::kNoValue);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Part& part = parts[i];
      planned.values[i] = part.value;
      if (part.value == plan::kNoValue) {
        planned.call.with({});
        continue;
      }
      const std::size_t whole = plan.values[static_cast<std::size_t>(part.value)].bytes;
      planned.call.with({nullptr, part.offset, part.bytes > 0 ? part.bytes : whole});
    }
    plan.calls.push_back(std::move(planned));
  }

  plan::Plan plan;

 private:
  int inputs_ = 0;
};

// --- calls without buffers ---

inline Spec spec_of(DType a, DType b = DType::f32, DType c = DType::f32, DType d = DType::f32) {
  return {.types = {a, b, c, d}};
}

inline KernelCall fill_of(std::uint32_t count, float number, DType type = DType::f32) {
  return {KernelId::fill, spec_of(type), FillParams{count, number}};
}

inline KernelCall cast_of(std::uint32_t count, DType from, DType to) {
  return {KernelId::cast, spec_of(from, to), CountParams{count}};
}

inline KernelCall unary_of(std::uint32_t count, UnaryFunction f = UnaryFunction::relu, Spec spec = {}) {
  spec.function = static_cast<std::uint8_t>(f);
  return {KernelId::unary, spec, UnaryParams{count, 0, 0}};
}

inline KernelCall unary_grad_of(std::uint32_t count, UnaryFunction f, Spec spec = {}) {
  spec.function = static_cast<std::uint8_t>(f);
  return {KernelId::unary_grad, spec, UnaryParams{count, 0, 0}};
}

// Of dense arrays.
inline BinaryParams dense_pair(std::uint32_t count) {
  BinaryParams params{};
  params.rank = 1;
  params.sizes[0] = count;
  params.a_strides[0] = params.b_strides[0] = params.dy_strides[0] = 1;
  return params;
}

inline KernelCall binary_of(std::uint32_t count, BinaryFunction f = BinaryFunction::add, Spec spec = {}) {
  spec.function = static_cast<std::uint8_t>(f);
  return {KernelId::binary, spec, dense_pair(count)};
}

inline MatmulParams product_of(std::int32_t m, std::int32_t n, std::int32_t k, float beta = 0.0f) {
  MatmulParams params = dense_product(m, n, k);
  params.beta = beta;
  return params;
}

}  // namespace amphora::testing
