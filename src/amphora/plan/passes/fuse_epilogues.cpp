#include <algorithm>
#include <optional>

#include "amphora/plan/passes/accesses.h"
#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

std::optional<Activation> activation_of(std::uint8_t function) {
  for (const Activation a :
       {Activation::relu, Activation::gelu, Activation::silu, Activation::sigmoid, Activation::tanh}) {
    if (function_of(a) == static_cast<UnaryFunction>(function)) return a;
  }
  return std::nullopt;
}

bool has_buffer(const PlannedCall& planned, int index) {
  return index < planned.call.buffer_count && planned.values[static_cast<std::size_t>(index)] != kNoValue;
}

// One attempt: a product, and a later call that reads what it writes.
class Fusion {
 public:
  Fusion(Plan& plan, const PathOf& path_of, std::size_t product, std::size_t follower)
      : plan_(plan),
        path_of_(path_of),
        accesses_(plan),
        product_(product),
        follower_(follower),
        before_(plan.calls[product]),
        next_(plan.calls[follower]),
        after_(before_),
        c_(piece_of(before_, op::matmul::c)) {}

  bool try_all() {
    // It writes all of c without reading it, so c may lie elsewhere, and each row follows the one before.
    if (use_of(before_, op::matmul::c) != Use::write) return false;
    return add_bias() || add_activation() || add_derivative() || add_bias_gradient();
  }

 private:
  const MatmulParams params() const { return before_.call.params<MatmulParams>(); }
  bool ends_plain() const { return before_.call.spec.function == 0 && !has_buffer(before_, op::matmul::aux); }
  std::int32_t rows() const { return params().m * params().batch; }

  // c + a row for all rows.
  bool add_bias() {
    if (next_.call.id != KernelId::binary || !ends_plain() || has_buffer(before_, op::matmul::bias)) return false;
    if (static_cast<BinaryFunction>(next_.call.spec.function) != BinaryFunction::add) return false;
    const auto p = next_.call.params<BinaryParams>();
    const bool c_is_first = piece_of(next_, op::binary::a) == c_;
    const std::int32_t* c_strides = c_is_first ? p.a_strides : p.b_strides;
    const std::int32_t* row_strides = c_is_first ? p.b_strides : p.a_strides;
    const int row = c_is_first ? op::binary::b : op::binary::a;
    const int other = c_is_first ? op::binary::a : op::binary::b;
    if (!layouts::strided(p.rank, p.sizes, c_strides).is_dense() || !is_row(p, row_strides) ||
        !(piece_of(next_, other) == c_)) {
      return false;
    }
    const Piece bias = piece_of(next_, row);
    if (!is_floating(next_.call.spec.types[static_cast<std::size_t>(row)])) return false;
    if (!accesses_.unwritten(bias, product_, follower_)) return false;
    add_buffer(after_, op::matmul::bias, bias);
    after_.call.spec.types[op::matmul::bias] = next_.call.spec.types[static_cast<std::size_t>(row)];
    return write_instead(op::binary::y, false);
  }

  // Whether strides over the elements of c repeat one row of n.
  bool is_row(const BinaryParams& p, const std::int32_t* strides) const {
    const int last = p.rank - 1;
    if (p.rank == 1) return rows() == 1 && p.sizes[0] == params().n && strides[0] == 1;
    if (p.sizes[last] != params().n || (strides[last] != 1 && params().n != 1)) return false;
    return std::all_of(strides, strides + last, [](std::int32_t stride) { return stride == 0; });
  }

  // Applied to c. Where c is read again, for the derivative, aux takes it.
  bool add_activation() {
    if (next_.call.id != KernelId::unary || !ends_plain() || !(piece_of(next_, op::unary::x) == c_)) return false;
    const auto activation = activation_of(next_.call.spec.function);
    if (!activation) return false;
    after_.call.spec.function = static_cast<std::uint8_t>(*activation);
    const bool c_is_read_again = accesses_.of(c_.value).size() > 2;
    if (!c_is_read_again) return write_instead(op::unary::y, false);
    if (next_.call.type_at(op::unary::y) != before_.call.type_at(op::matmul::c)) return false;  // aux has c's type
    add_buffer(after_, op::matmul::aux, c_);
    return write_instead(op::unary::y, true);
  }

  // dy of an activation's gradient.
  bool add_derivative() {
    if (next_.call.id != KernelId::unary_grad || !ends_plain() || !(piece_of(next_, op::unary_grad::dy) == c_))
      return false;
    const auto activation = activation_of(next_.call.spec.function);
    if (!activation) return false;
    const bool from_result = *activation != Activation::gelu && *activation != Activation::silu;
    const int source = from_result ? op::unary_grad::y : op::unary_grad::x;
    const DType type = next_.call.type_at(op::unary_grad::dx);
    if (next_.call.spec.types[static_cast<std::size_t>(source)] != type) return false;
    const Piece aux = piece_of(next_, source);
    if (!accesses_.unwritten(aux, product_, follower_) || overlap(aux, c_)) return false;
    after_.call.spec.function = static_cast<std::uint8_t>(*activation);
    after_.call.spec.flags |= kMatmulDerivative;
    add_buffer(after_, op::matmul::aux, aux);
    return write_instead(op::unary_grad::dx, false);
  }

  // The sum over c's rows. c stays what it is.
  bool add_bias_gradient() {
    if (next_.call.id != KernelId::reduce || has_buffer(before_, op::matmul::bias_gradient)) return false;
    const auto p = next_.call.params<ReduceParams>();
    const bool sums_rows = static_cast<Reduction>(next_.call.spec.function) == Reduction::sum && p.outer == 1 &&
                           p.scale == 1.0f && static_cast<std::int32_t>(p.extent) == rows() &&
                           static_cast<std::int32_t>(p.inner) == params().n;
    const Piece sum = piece_of(next_, op::reduce::out);
    if (!sums_rows || !(piece_of(next_, op::reduce::in) == c_) || next_.call.type_at(op::reduce::out) != DType::f32)
      return false;
    if (!accesses_.unwritten(c_, product_ + 1, follower_) || !accesses_.untouched(sum, product_, follower_)) {
      return false;
    }
    after_.call.spec.flags |= kMatmulBiasGradient;
    if (p.accumulate != 0) after_.call.spec.flags |= kMatmulAddBiasGradient;
    add_buffer(after_, op::matmul::bias_gradient, sum);
    return finish();
  }

  // Lets the product write what the follower wrote into its buffer `result`. c must be a value of its own that nobody
  // else reads, unless it is kept as aux.
  bool write_instead(int result, bool c_is_kept) {
    const Piece target = piece_of(next_, result);
    const ValueAccess* maker = accesses_.maker_of(c_.value);
    if (use_of(next_, result) != Use::write || maker == nullptr || maker->call != product_) return false;
    if (!c_is_kept && accesses_.of(c_.value).size() != 2) return false;
    // Nobody in between may see the target too early, nor c too late.
    if (!accesses_.untouched(target, product_, follower_) || !accesses_.untouched(c_, product_ + 1, follower_)) {
      return false;
    }
    point(after_, op::matmul::c, target);
    after_.call.spec.types[op::matmul::c] = next_.call.spec.types[static_cast<std::size_t>(result)];
    return finish();
  }

  bool finish() {
    const std::string path = path_of_(KernelId::matmul, after_.call.spec);
    const bool slower = path == "oracle" && path_of_(KernelId::matmul, before_.call.spec) != "oracle";
    if (path.empty() || slower) return false;
    plan_.calls[product_] = after_;
    take_out(plan_.calls[follower_]);
    return true;
  }

  Plan& plan_;
  const PathOf& path_of_;
  Accesses accesses_;
  std::size_t product_;
  std::size_t follower_;
  PlannedCall before_;
  PlannedCall next_;
  PlannedCall after_;
  Piece c_;
};

// Fuses one follower into the product at `call`, and says whether there was one.
bool fuse_one(Plan& plan, const PathOf& path_of, std::size_t call) {
  const Piece c = piece_of(plan.calls[call], op::matmul::c);
  const Accesses accesses(plan);
  for (const ValueAccess& access : accesses.of(c.value)) {
    if (access.call <= call || access.use != Use::read) continue;
    if (Fusion(plan, path_of, call, access.call).try_all()) return true;
  }
  return false;
}

}  // namespace

int fuse_epilogues(Plan& plan, const PathOf& path_of) {
  int fused = 0;
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    while (plan.calls[call].call.id == KernelId::matmul && fuse_one(plan, path_of, call)) ++fused;
  }
  sweep(plan);
  return fused;
}

}  // namespace amphora::plan
