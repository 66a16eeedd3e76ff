#include "amphora/ops/matmul.h"

#include <algorithm>

#include "amphora/amp/autocast.h"
#include "amphora/autograd/tape.h"
#include "amphora/autograd/trace.h"
#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/device/device.h"
#include "amphora/ops/op.h"
#include "amphora/ops/pointwise.h"
#include "amphora/ops/view.h"

namespace amphora {

namespace {

using autograd::Gradients;
using ops::OpScope;

// A matrix, or a batch of them, as the kernel reads it: row-major with a leading dimension, or that of its transpose.
struct Matrix {
  Tensor tensor;
  bool transposed = false;
  std::int64_t leading = 0;
  std::int64_t batch_stride = 0;

  Matrix flipped() const {
    Matrix result = *this;
    result.transposed = !transposed;
    return result;
  }
};

std::int64_t stride_of(const Tensor& t, int axis) {
  return t.strides()[static_cast<std::size_t>(t.shape().normalize(axis))];
}

// Whether axis `inner` is dense and axis `outer` steps over whole rows of it.
bool is_row_major(const Tensor& t, int outer, int inner) {
  return stride_of(t, inner) == 1 && stride_of(t, outer) >= std::max<std::int64_t>(1, t.size(inner));
}

// Whether the axes before the last two walk in one stride.
bool has_one_batch_stride(const Tensor& t) {
  for (int axis = t.rank() - 3; axis > 0; --axis) {
    if (stride_of(t, axis - 1) != stride_of(t, axis) * t.size(axis)) return false;
  }
  return true;
}

// Reads a plain or transposed matrix in place; another view is copied first.
Matrix as_matrix(const Tensor& x) {
  const bool readable = has_one_batch_stride(x) && (is_row_major(x, -2, -1) || is_row_major(x, -1, -2));
  Tensor t = readable ? x : contiguous(x);
  // An axis of extent 1 may carry any stride in a contiguous view.
  if (!readable) t = t.view(t.shape(), contiguous_strides(t.shape()), t.offset());
  const bool rows = is_row_major(t, -2, -1) || t.count() == 0;
  return {.tensor = t,
          .transposed = !rows,
          .leading = std::max<std::int64_t>(1, rows ? stride_of(t, -2) : stride_of(t, -1)),
          .batch_stride = t.rank() > 2 ? stride_of(t, -3) : 0};
}

struct Product {
  std::int64_t m, n, k;
  std::int64_t batch = 1;
  bool tf32 = false;  // of the forward pass, which backward repeats
  bool accumulate = false;
  Activation activation = Activation::none;
  Tensor bias = {};
  Tensor aux = {};
};

// c = a b with `c` contiguous.
void launch_product(const Matrix& a, const Matrix& b, const Tensor& c, const Product& product) {
  constexpr std::string_view kBatchStride = "distance between matrices of a batch";
  const MatmulParams params{.m = narrow<std::int32_t>(product.m, "number of rows"),
                            .n = narrow<std::int32_t>(product.n, "number of columns"),
                            .k = narrow<std::int32_t>(product.k, "number of terms of a sum"),
                            .batch = narrow<std::int32_t>(product.batch, "size of the batch"),
                            .lda = narrow<std::int32_t>(a.leading, "distance between rows"),
                            .ldb = narrow<std::int32_t>(b.leading, "distance between rows"),
                            .ldc = narrow<std::int32_t>(product.n, "number of columns"),
                            .a_batch_stride = narrow<std::uint32_t>(a.batch_stride, kBatchStride),
                            .b_batch_stride = narrow<std::uint32_t>(b.batch_stride, kBatchStride),
                            .c_batch_stride = narrow<std::uint32_t>(product.m * product.n, kBatchStride),
                            .alpha = 1.0f,
                            .beta = product.accumulate ? 1.0f : 0.0f};
  const DType bias_type = product.bias.defined() ? product.bias.dtype() : DType::f32;
  const bool tf32 = product.tf32 && a.tensor.dtype() == DType::f32 && b.tensor.dtype() == DType::f32;
  if (autograd::Trace* trace = autograd::active_trace(); tf32 && trace != nullptr) trace->mark_tf32();
  const Spec spec{
      .types = {a.tensor.dtype(), b.tensor.dtype(), c.dtype(), bias_type},
      .function = static_cast<std::uint8_t>(product.activation),
      .flags = static_cast<std::uint8_t>((a.transposed ? kMatmulTransposeA : 0) |
                                         (b.transposed ? kMatmulTransposeB : 0) | (tf32 ? kMatmulTf32 : 0))};
  KernelCall call(KernelId::matmul, spec, params);
  call.with(range_of(a.tensor)).with(range_of(b.tensor)).with(range_of(c));
  c.device().launch(call.with(range_or_absent(product.bias)).with(range_or_absent(product.aux)));
}

// A gradient of the product's kind goes straight into a leaf's f32 memory where the input is a leaf.
void give_product(Gradients& gradients, int input, const Matrix& a, const Matrix& b, const Tensor& like,
                  Product product) {
  if (!gradients.wanted(input)) return;
  if (auto leaf = gradients.leaf_target(input)) {
    product.accumulate = leaf->accumulate;
    launch_product(a, b, leaf->target, product);
    return;
  }
  Tensor dx = Tensor::empty(like.device(), like.shape(), like.dtype());
  launch_product(a, b, dx, product);
  gradients.give(input, dx);
}

// Sums [rows, columns] over its rows.
void give_row_sum(Gradients& gradients, int input, const Tensor& dz, std::int64_t rows, std::int64_t columns,
                  DType dtype) {
  ReduceParams params{.outer = 1,
                      .extent = narrow<std::uint32_t>(rows, "number of rows"),
                      .inner = narrow<std::uint32_t>(columns, "number of columns"),
                      .scale = 1.0f,
                      .accumulate = 0};
  auto leaf = gradients.leaf_target(input);
  params.accumulate = leaf && leaf->accumulate ? 1 : 0;
  const Tensor out = leaf ? leaf->target : Tensor::empty(dz.device(), {columns}, dtype);
  KernelCall call(KernelId::reduce, Spec{.types = {dz.dtype(), out.dtype()}}, params);
  dz.device().launch(call.with(range_of(dz)).with(range_of(out)));
  if (!leaf) gradients.give(input, out);
}

// Whether the activation's derivative can be computed from its result alone.
bool derivative_needs_input(Activation activation) {
  return activation == Activation::gelu || activation == Activation::silu;
}

}  // namespace

Tensor matmul(const Tensor& left, const Tensor& right) {
  Tensor a = left;
  Tensor b = right;
  const OpScope scope("matmul", {&a, &b});
  require(a.rank() >= 2 && b.rank() >= 2, "matmul needs matrices, but got shapes {} and {}", a.shape(), b.shape());
  scope.require_one_type();
  require(a.size(-1) == b.size(-2), "matmul of {} and {}: {} columns meet {} rows", a.shape(), b.shape(), a.size(-1),
          b.size(-2));
  const bool shared_b = b.rank() == 2 && a.rank() > 2;
  if (shared_b) a = reshape(a, {-1, a.size(-1)});  // one tall product
  Product product{.m = a.size(-2), .n = b.size(-1), .k = a.size(-1), .tf32 = amp::tf32_active()};
  for (int axis = 0; axis < a.rank() - 2; ++axis) {
    require(a.rank() == b.rank() && a.size(axis) == b.size(axis), "matmul of {} and {}: the leading axes differ",
            a.shape(), b.shape());
    product.batch *= a.size(axis);
  }
  require(a.rank() == b.rank(), "matmul of {} and {}: the leading axes differ", a.shape(), b.shape());
  Tensor c = Tensor::empty(a.device(), a.shape().with(-1, product.n), scope.result());
  launch_product(as_matrix(a), as_matrix(b), c, product);
  autograd::record(
      "matmul", c, {a, b}, [a = a.detach(), b = b.detach(), product](const Tensor& dy, Gradients& gradients) {
        const Matrix dc = as_matrix(contiguous(dy));
        give_product(gradients, 0, dc, as_matrix(b).flipped(), a,
                     {.m = product.m, .n = product.k, .k = product.n, .batch = product.batch, .tf32 = product.tf32});
        give_product(gradients, 1, as_matrix(a).flipped(), dc, b,
                     {.m = product.k, .n = product.n, .k = product.m, .batch = product.batch, .tf32 = product.tf32});
      });
  if (!shared_b) return c;
  return reshape(c, left.shape().with(-1, product.n));
}

Tensor linear(const Tensor& input, const Tensor& weights, const Tensor& biases, Activation activation) {
  Tensor x = input;
  Tensor weight = weights;
  Tensor bias = biases;
  const std::string_view epilogue = activation == Activation::none ? std::string_view{} : name_of(activation);
  const OpScope scope("linear", {&x, &weight, &bias}, ops::InputCast::before, epilogue);
  require(weight.rank() == 2 && x.rank() >= 1 && x.size(-1) == weight.size(1),
          "linear: input of shape {} does not fit weights of shape {} ([out, in])", x.shape(), weight.shape());
  require(!bias.defined() || bias.shape() == Shape{weight.size(0)}, "linear: bias of shape {} for weights of shape {}",
          bias.defined() ? bias.shape() : Shape{}, weight.shape());
  scope.require_one_type();
  const std::int64_t columns = weight.size(0);
  const std::int64_t depth = weight.size(1);
  const std::int64_t rows = x.shape().without(-1).count();
  if (!x.is_contiguous()) x = reshape(x, x.shape());
  Tensor y = Tensor::empty(x.device(), x.shape().with(-1, columns), scope.result());
  const Tensor flat_x = x.view({rows, depth}, contiguous_strides({rows, depth}), x.offset());
  const bool records = autograd::recording({x, weight, bias});
  const bool tf32 = amp::tf32_active();
  Product product{.m = rows, .n = columns, .k = depth, .tf32 = tf32, .activation = activation, .bias = bias};
  if (records && derivative_needs_input(activation)) product.aux = Tensor::empty(y.device(), y.shape(), y.dtype());
  launch_product(as_matrix(flat_x), as_matrix(weight).flipped(), y, product);
  if (!records) return y;
  const auto backward = [=, flat_x = flat_x.detach(), weight = weight.detach(), result = y.detach(), aux = product.aux,
                         bias_type = bias.defined() ? bias.dtype() : DType::f32,
                         has_bias = bias.defined()](const Tensor& dy, Gradients& gradients) {
    Tensor dz = contiguous(dy);
    if (activation != Activation::none) {
      const Tensor& x_of_activation = aux.defined() ? aux : result;
      dz = ops::unary_gradient(function_of(activation), x_of_activation, result, dz, result.dtype());
    }
    const Shape flat{rows, columns};
    dz = dz.view(flat, contiguous_strides(flat), dz.offset());
    const Matrix dz_matrix = as_matrix(dz);
    give_product(gradients, 1, dz_matrix.flipped(), as_matrix(flat_x), weight,
                 {.m = columns, .n = depth, .k = rows, .tf32 = tf32});
    if (has_bias && gradients.wanted(2)) give_row_sum(gradients, 2, dz, rows, columns, bias_type);
    if (gradients.wanted(0)) {
      Tensor dx = Tensor::empty(dz.device(), result.shape().with(-1, depth), flat_x.dtype());
      launch_product(dz_matrix, as_matrix(weight), dx, {.m = rows, .n = depth, .k = columns, .tf32 = tf32});
      gradients.give(0, dx);
    }
  };
  // An absent bias is recorded as an undefined input: it needs no gradient.
  autograd::record("linear", y, {x, weight, bias}, backward);
  return y;
}

}  // namespace amphora
