#include "backends/cuda/problem.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/cuda/stream.h"

namespace amphora::cuda {
namespace {

std::uint16_t alignment_of(const KernelCall& call, std::size_t index) {
  const auto address = reinterpret_cast<std::uintptr_t>(address_of(call, index));
  if (address % 256 == 0) return 256;
  return static_cast<std::uint16_t>(1u << std::min(std::countr_zero(address), 4));
}

auto tied(const Problem& p) {
  const MatmulParams& s = p.shape;
  return std::make_tuple(s.m, s.n, s.k, s.batch, s.lda, s.ldb, s.ldc, s.a_batch_stride, s.b_batch_stride,
                         s.c_batch_stride, s.beta, p.operand, p.result, p.bias_type, p.transpose_a, p.transpose_b,
                         p.tf32, p.activation, p.has_bias, p.has_aux, p.derivative, p.bias_gradient,
                         p.adds_bias_gradient, p.alignment);
}

}  // namespace

Problem::Problem(const KernelCall& call)
    : shape(call.params<MatmulParams>()),
      operand(call.type_at(op::matmul::a)),
      result(call.type_at(op::matmul::c)),
      transpose_a((call.spec.flags & kMatmulTransposeA) != 0),
      transpose_b((call.spec.flags & kMatmulTransposeB) != 0),
      tf32((call.spec.flags & kMatmulTf32) != 0 && operand == DType::f32),
      activation(static_cast<Activation>(call.spec.function)),
      has_bias(call.at(op::matmul::bias).buffer != nullptr),
      has_aux(call.at(op::matmul::aux).buffer != nullptr),
      // The derivative of no activation is 1.
      derivative((call.spec.flags & kMatmulDerivative) != 0 && activation != Activation::none),
      bias_gradient((call.spec.flags & kMatmulBiasGradient) != 0),
      adds_bias_gradient((call.spec.flags & kMatmulAddBiasGradient) != 0),
      alignment{alignment_of(call, op::matmul::a),   alignment_of(call, op::matmul::b),
                alignment_of(call, op::matmul::c),   alignment_of(call, op::matmul::bias),
                alignment_of(call, op::matmul::aux), alignment_of(call, op::matmul::bias_gradient)} {
  shape.alpha = 1.0f;
  if (shape.beta != 0.0f && shape.beta != 1.0f) shape.beta = 2.0f;
  if (shape.batch == 1) shape.a_batch_stride = shape.b_batch_stride = shape.c_batch_stride = 0;
  if (has_bias) bias_type = call.type_at(op::matmul::bias);
  // What is only read, and only for a derivative, is none without one.
  if ((call.spec.flags & kMatmulDerivative) != 0) has_aux = derivative;
}

bool Problem::operator==(const Problem& other) const { return tied(*this) == tied(other); }

bool Problem::has_epilogue() const { return activation != Activation::none || has_bias || has_aux || bias_gradient; }

std::string Problem::str() const {
  const MatmulParams& s = shape;
  std::string text = fmt::format("{}{}x{}{}->{}:{}x{}x{}", name_of(operand), transpose_a ? "t" : "", name_of(operand),
                                 transpose_b ? "t" : "", name_of(result), s.m, s.n, s.k);
  text += fmt::format(":ld{},{},{}", s.lda, s.ldb, s.ldc);
  if (s.batch != 1) {
    text += fmt::format(":batch{},{},{},{}", s.batch, s.a_batch_stride, s.b_batch_stride, s.c_batch_stride);
  }
  text += fmt::format(":align{}", fmt::join(alignment, ","));
  if (tf32) text += ":tf32";
  if (s.beta != 0.0f) text += s.beta == 1.0f ? ":adds" : ":beta";
  if (has_bias) text += fmt::format(":bias-{}", name_of(bias_type));
  if (activation != Activation::none) text += fmt::format(":{}{}", derivative ? "d" : "", name_of(activation));
  if (has_aux && !derivative) text += ":aux";
  if (bias_gradient) text += adds_bias_gradient ? ":adds-bgrad" : ":bgrad";
  return text;
}

std::size_t HashProblem::operator()(const Problem& p) const {
  std::size_t hash = 0;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x9E37'79B9'7F4A'7C15ull + (hash >> 29); };
  for (const std::int32_t value :
       {p.shape.m, p.shape.n, p.shape.k, p.shape.batch, p.shape.lda, p.shape.ldb, p.shape.ldc}) {
    mix(static_cast<std::uint32_t>(value));
  }
  mix(static_cast<std::uint64_t>(p.operand) | static_cast<std::uint64_t>(p.result) << 8 |
      static_cast<std::uint64_t>(p.activation) << 16 | static_cast<std::uint64_t>(p.transpose_a) << 24 |
      static_cast<std::uint64_t>(p.transpose_b) << 25 | static_cast<std::uint64_t>(p.has_bias) << 26 |
      static_cast<std::uint64_t>(p.derivative) << 27);
  return hash;
}

bool multiplies(const Spec& spec, const Capabilities& capabilities) {
  const DType operand = spec.types[op::matmul::a];
  const DType result = spec.types[op::matmul::c];
  if (operand != spec.types[op::matmul::b] || !is_floating(operand) || operand == DType::f64) return false;
  if (operand == DType::bf16 && !capabilities.multiplies_bf16()) return false;
  return result == operand || result == DType::f32;
}

}  // namespace amphora::cuda
