#include "conformance/product.h"

#include <cmath>

#include "conformance/formulas.h"

namespace amphora::conformance {
namespace {

Array magnitudes(const Array& array) {
  Array result = array;
  for (std::size_t i = 0; i < array.count(); ++i) result.set(i, std::abs(array[i]));
  return result;
}

Interval activated(Activation activation, const Interval& x) {
  const Interval inner = C(0.7978845608028654) * (x + C(0.044715) * x * x * x);
  const Interval sigmoid = C(1.0) / (C(1.0) + EXP(C(0.0) - x));
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return SELECT(LESS(x, C(0.0)), C(0.0), x);
    case Activation::gelu: return C(0.5) * x * (C(1.0) + TANH(inner));
    case Activation::silu: return x * sigmoid;
    case Activation::sigmoid: return sigmoid;
    case Activation::tanh: return TANH(x);
  }
  return x;
}

// The activation's derivative at what aux holds, exact numbers both.
Interval slope_of(Activation activation, double aux) {
  const Interval x = Interval::exact(aux);
  const Interval sigmoid = C(1.0) / (C(1.0) + EXP(C(0.0) - x));
  const Interval tanh = TANH(C(0.7978845608028654) * (x + C(0.044715) * x * x * x));
  switch (activation) {
    case Activation::none: return C(1.0);
    case Activation::relu: return SELECT(LESS(C(0.0), x), C(1.0), C(0.0));
    case Activation::gelu:
      return C(0.5) * (C(1.0) + tanh) +
             C(0.5) * x * (C(1.0) - tanh * tanh) * C(0.7978845608028654) * (C(1.0) + C(0.134145) * x * x);
    case Activation::silu: return sigmoid * (C(1.0) + x * (C(1.0) - sigmoid));
    case Activation::sigmoid: return x * (C(1.0) - x);
    case Activation::tanh: return C(1.0) - x * x;
  }
  return x;
}

// Calls check(i, row, column) for every element of c, padding included.
template <class Check>
void for_each_element(const MatmulParams& params, Check check) {
  for (int batch = 0; batch < params.batch; ++batch) {
    for (int row = 0; row < params.m; ++row) {
      for (int column = 0; column < params.ldc; ++column) {
        check(static_cast<std::size_t>(batch) * static_cast<std::size_t>(params.c_batch_stride) +
                  static_cast<std::size_t>(row) * static_cast<std::size_t>(params.ldc) +
                  static_cast<std::size_t>(column),
              column);
      }
    }
  }
}

// Half an f32 rounding for a term of each sum, and an absolute error where products may be flushed to zero.
Interval sum_bound(const Product& c, double term, double exact, double magnitude) {
  // k products and sums, then alpha, beta, bias: each rounds once, relative to a partial sum of magnitudes at most.
  // TF32 cuts 13 bits off each operand.
  const double cut = c.tf32 ? 2.0 * 0x1p-10 + 0x1p-20 : 0.0;
  const double error = kUnit * (c.k * term + 6) + cut;
  const double lost = accuracy().flushes_subnormals ? (c.k + 6) * kSmallestNormal * (1.0 + std::abs(c.alpha)) : 0.0;
  return Interval::around(exact, error * magnitude + kTiny + lost);
}

}  // namespace

Problem prepare(Random& random, const Product& c, bool integers) {
  Problem problem;
  problem.spec.types = {c.a, c.b, c.c, c.bias};
  problem.spec.function = static_cast<std::uint8_t>(c.activation);
  problem.spec.flags = static_cast<std::uint8_t>(
      (c.transpose_a ? kMatmulTransposeA : 0) | (c.transpose_b ? kMatmulTransposeB : 0) |
      (c.derivative ? kMatmulDerivative : 0) | (c.tf32 ? kMatmulTf32 : 0) |
      (c.bias_gradient ? kMatmulBiasGradient : 0) | (c.adds_bias_gradient ? kMatmulAddBiasGradient : 0));
  const int lda = (c.transpose_a ? c.m : c.k) + c.padding, ldb = (c.transpose_b ? c.k : c.n) + c.padding;
  const int ldc = c.n + c.padding;
  const int a_size = (c.transpose_a ? c.k : c.m) * lda, b_size = (c.transpose_b ? c.n : c.k) * ldb;
  const auto stride = [](int size) { return static_cast<std::uint32_t>(size); };
  problem.params = {.m = c.m,
                    .n = c.n,
                    .k = c.k,
                    .batch = c.batch,
                    .lda = lda,
                    .ldb = ldb,
                    .ldc = ldc,
                    .a_batch_stride = stride(a_size),
                    .b_batch_stride = stride(b_size),
                    .c_batch_stride = stride(c.m * ldc),
                    .alpha = c.alpha,
                    .beta = c.beta};
  const auto count = [&](int size) { return static_cast<std::size_t>(size) * static_cast<std::size_t>(c.batch); };
  const auto operand = [&](DType type, int size) {
    return integers ? random.integers(type, count(size), 8) : random.array(type, count(size));
  };
  problem.arrays = {operand(c.a, a_size),
                    operand(c.b, b_size),
                    random.array(c.c, count(c.m * ldc)),
                    c.has_bias ? random.array(c.bias, static_cast<std::size_t>(c.n)) : Array(),
                    c.has_aux || c.derivative ? random.array(c.c, count(c.m * ldc)) : Array(),
                    c.bias_gradient ? random.array(DType::f32, static_cast<std::size_t>(c.n)) : Array()};
  // What is overwritten must not be read.
  if (c.beta == 0.0f) {
    for (std::size_t i = 0; i < problem.arrays[2].count(); ++i) problem.arrays[2].set(i, std::nan(""));
  }
  return problem;
}

// The sums of c's columns: of values inside of their bounds, rounded to c's type or not, added in f32 in any order.
class ColumnSums {
 public:
  explicit ColumnSums(const Product& c)
      : rounding_(c.c == DType::f16    ? 0x1p-11
                  : c.c == DType::bf16 ? 0x1p-8
                                       : 0.0),
        terms_(c.m * c.batch + 1),
        sums_(static_cast<std::size_t>(c.n), Interval::exact(0.0)),
        sizes_(static_cast<std::size_t>(c.n), 0.0) {}

  void add(int column, const Interval& value) {
    const auto j = static_cast<std::size_t>(column);
    const double size = std::max(std::abs(value.low), std::abs(value.high));
    // Half of the smallest subnormal of f16, where that is what rounding loses.
    const double lost = rounding_ * size + (rounding_ > 0.0 ? 0x1p-25 : 0.0);
    sums_[j] = {sums_[j].low + value.low - lost, sums_[j].high + value.high + lost};
    sizes_[j] += size + lost;
  }

  Interval bound(std::size_t column) const {
    const double error = kUnit * terms_ * sizes_[column] + kTiny;
    return {sums_[column].low - error, sums_[column].high + error};
  }

 private:
  double rounding_;
  double terms_;
  std::vector<Interval> sums_;
  std::vector<double> sizes_;
};

void expect_in_bounds(Random& random, const Product& c) {
  const Problem problem = prepare(random, c);
  const Arrays actual = run_subject(KernelId::matmul, problem.spec, problem.params, problem.arrays);
  if (actual.empty()) return;

  // The exact sums before the activation, and the same with every term positive.
  Spec plain = problem.spec;
  plain.function = 0;  // no activation, and so no derivative
  plain.flags &= ~(kMatmulBiasGradient | kMatmulAddBiasGradient);
  const Arrays exact = run_oracle(KernelId::matmul, plain, problem.params, problem.arrays);
  MatmulParams positive = problem.params;
  positive.alpha = std::abs(positive.alpha);
  positive.beta = std::abs(positive.beta);
  Arrays terms;
  for (const Array& array : problem.arrays) terms.push_back(array.present() ? magnitudes(array) : Array());
  const Arrays size = run_oracle(KernelId::matmul, plain, positive, terms);

  const std::string& path = actual[2].row->key->path;
  const bool in_matrix_units = path.starts_with("cooperative matrix") || path == "cuBLASLt";
  const double term = in_matrix_units ? accuracy().matrix_unit_term : 1.0;
  ColumnSums columns(c);
  for_each_element(problem.params, [&](std::size_t i, int column) {
    if (column >= c.n) {  // padding
      if (i < actual[2].count()) expect_value(actual[2], i, problem.arrays[2][i]);
      return;
    }
    const Interval before = sum_bound(c, term, exact[2][i], size[2][i]);
    const Interval bound =
        c.derivative ? before * slope_of(c.activation, problem.arrays[4][i]) : activated(c.activation, before);
    expect_inside(actual[2], i, bound);
    columns.add(column, bound);
    if (c.derivative) {
      expect_value(actual[4], i, problem.arrays[4][i]);
    } else if (c.has_aux)
      expect_inside(actual[4], i, before);
  });
  for (std::size_t j = 0; c.bias_gradient && j < actual[5].count(); ++j) {
    if (c.adds_bias_gradient) columns.add(static_cast<int>(j), Interval::exact(problem.arrays[5][j]));
    expect_inside(actual[5], j, columns.bound(j));
  }
}

void expect_exact(Random& random, const Product& c) {
  const Problem problem = prepare(random, c, true);
  expect_oracle_bits(KernelId::matmul, problem.spec, problem.params, problem.arrays);
}

}  // namespace amphora::conformance
