// matmul: products accumulated in f64, epilogue included.
#include <vector>

#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {
namespace {

// op(x) as a dense row-major matrix of doubles: strides and types are dealt with here, once.
std::vector<double> unpack(const Array& x, std::int64_t offset, int rows, int columns, int leading, bool transposed) {
  std::vector<double> dense(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
  std::size_t next = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      dense[next++] = x[offset + (transposed ? c * leading + r : r * leading + c)];
    }
  }
  return dense;
}

struct Epilogue {
  MatmulParams params;
  Activation activation;
  bool derivative;
  Array c;
  Array bias;
  Array aux;

  // Turns one element of op(a) op(b) into the result, which it returns before rounding; c is read only where beta asks
  // for it.
  double finish(std::int64_t at, std::int64_t column, double product) const {
    double value = params.alpha * product;
    if (params.beta != 0.0f) value += params.beta * c[at];
    if (bias) value += bias[column];
    if (!derivative && aux) aux.set(at, value);
    if (activation != Activation::none) {
      const UnaryFunction function = function_of(activation);
      value = derivative ? value * slope(function, aux[at], aux[at]) : apply(function, value);
    }
    c.set(at, value);
    return value;
  }
};

}  // namespace

void matmul(const KernelCall& call, Threads&) {
  const auto params = call.params<MatmulParams>();
  const Array a(call, op::matmul::a);
  const Array b(call, op::matmul::b);
  const Epilogue epilogue{params,
                          static_cast<Activation>(call.spec.function),
                          (call.spec.flags & kMatmulDerivative) != 0,
                          Array(call, op::matmul::c),
                          Array(call, op::matmul::bias),
                          Array(call, op::matmul::aux, call.type_at(op::matmul::c))};
  const bool transpose_a = (call.spec.flags & kMatmulTransposeA) != 0;
  const bool transpose_b = (call.spec.flags & kMatmulTransposeB) != 0;
  if (params.m <= 0 || params.n <= 0) return;
  const auto columns = static_cast<std::size_t>(params.n);
  std::vector<double> sums(columns);
  std::vector<double> column_sums(columns);
  for (std::int64_t batch = 0; batch < params.batch; ++batch) {
    const auto left = unpack(a, batch * params.a_batch_stride, params.m, params.k, params.lda, transpose_a);
    const auto right = unpack(b, batch * params.b_batch_stride, params.k, params.n, params.ldb, transpose_b);
    const double* factor = left.data();
    for (std::int64_t row = 0; row < params.m; ++row) {
      sums.assign(columns, 0.0);
      const double* source = right.data();
      for (int p = 0; p < params.k; ++p, ++factor, source += columns) {
        for (std::size_t j = 0; j < columns; ++j) sums[j] += *factor * source[j];
      }
      const std::int64_t start = batch * params.c_batch_stride + row * params.ldc;
      for (std::size_t j = 0; j < columns; ++j) {
        const auto column = static_cast<std::int64_t>(j);
        column_sums[j] += epilogue.finish(start + column, column, sums[j]);
      }
    }
  }
  if ((call.spec.flags & kMatmulBiasGradient) == 0) return;
  const Array bias_gradient(call, op::matmul::bias_gradient, DType::f32);
  const bool adds = (call.spec.flags & kMatmulAddBiasGradient) != 0;
  for (std::int64_t j = 0; j < params.n; ++j) {
    bias_gradient.set(j, column_sums[static_cast<std::size_t>(j)] + (adds ? bias_gradient[j] : 0.0));
  }
}

}  // namespace amphora::cpu::oracle
