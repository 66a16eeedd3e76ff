// matmul: tiles of the result are tasks; in each, 16-bit operands are widened panel by panel for OpenBLAS.
//
// Memory stays 16-bit: the scratch of a thread is bounded, whatever the size of the product. Tiles follow from the
// shape alone, so results don't depend on the number of threads.
#include <algorithm>
#include <cstring>
#include <vector>

#include <cblas.h>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/pointwise.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/matmul.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

// row += factor * x
void add_scaled(const float* x, float factor, float* row, std::size_t count) {
  const Floats scale = hn::Set(FloatTag(), factor);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store(hn::Add(load(row + i), hn::Mul(scale, load(x + i))), row + i);
  }
  if (i < count) {
    const std::size_t rest = count - i;
    store_part(hn::Add(load_part(row + i, rest), hn::Mul(scale, load_part(x + i, rest))), row + i, rest);
  }
}

using AddScaled = void (*)(const float*, float, float*, std::size_t);
AddScaled find_add_scaled() { return add_scaled; }

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {
namespace {

HWY_EXPORT(find_add_scaled);

struct Tiling {
  int rows;
  int columns;
  int depth;  // how much of k is widened at a time
};

// The smallest number of equal parts of at most `limit`, rounded up to whole vectors.
int even_part(int size, int limit) {
  constexpr int kVector = 16;
  const int parts = (size + limit - 1) / limit;
  return ((size + parts - 1) / parts + kVector - 1) / kVector * kVector;
}

// Wide tiles widen and pack less; narrow ones are for a result that would be a single tile. With few columns OpenBLAS
// is fastest on few rows too (it then skips packing).
Tiling tiling_of(const MatmulParams& params) {
  constexpr int kNarrow = 32, kNarrowRows = 64, kRows = 128, kColumns = 128, kDepth = 400, kWideTiles = 2;
  const std::int64_t tiles =
      std::int64_t{params.batch} * ((params.m + kRows - 1) / kRows) * ((params.n + 2 * kColumns - 1) / (2 * kColumns));
  const int columns = tiles >= kWideTiles ? 2 * kColumns : kColumns;
  const int rows = params.n <= kNarrow ? kNarrowRows : kRows;
  return {even_part(params.m, rows), even_part(params.n, columns), even_part(std::max(params.k, 1), kDepth)};
}

// Fewer multiplications than this are done before another thread would have woken.
inline constexpr std::int64_t kSmallProduct = 1 << 18;

// Scratch of one thread, kept between calls.
struct Scratch {
  std::vector<float> a, b, sums;
  static float* sized(std::vector<float>& storage, std::size_t count) {
    if (storage.size() < count) storage.resize(count);
    return storage.data();
  }
};
thread_local Scratch scratch;

// An operand as stored: rows x columns with a leading dimension.
class Operand {
 public:
  Operand(DType type, const void* data, int leading, bool transposed)
      : data_(static_cast<const std::byte*>(data)),
        size_(size_of(type)),
        widen_(widen_from(type)),
        leading_(leading),
        transposed_(transposed) {}

  bool in_place() const { return widen_ == nullptr; }
  CBLAS_TRANSPOSE order() const { return transposed_ ? CblasTrans : CblasNoTrans; }

  struct Panel {
    const float* values;
    int leading;
  };
  // Rows [row, row + rows) and columns [column, column + columns) of op(operand) in the batch item at `offset`.
  Panel panel(std::int64_t offset, int row, int column, int rows, int columns, std::vector<float>& storage) const {
    if (transposed_) {
      std::swap(row, column);
      std::swap(rows, columns);
    }
    const std::int64_t first = offset + static_cast<std::int64_t>(row) * leading_ + column;
    const std::byte* from = data_ + first * static_cast<std::int64_t>(size_);
    if (widen_ == nullptr) return {reinterpret_cast<const float*>(from), leading_};
    float* values = Scratch::sized(storage, static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    if (columns == leading_) {
      widen_(from, values, static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
      return {values, columns};
    }
    for (int r = 0; r < rows; ++r) {
      widen_(from + static_cast<std::size_t>(r) * static_cast<std::size_t>(leading_) * size_,
             values + static_cast<std::size_t>(r) * static_cast<std::size_t>(columns),
             static_cast<std::size_t>(columns));
    }
    return {values, columns};
  }

 private:
  const std::byte* data_;
  std::size_t size_;
  Widen widen_;
  int leading_;
  bool transposed_;
};

bool differentiates(const KernelCall& call) { return (call.spec.flags & kMatmulDerivative) != 0; }

class Product {
 public:
  explicit Product(const KernelCall& call)
      : params_(call.params<MatmulParams>()),
        a_(call.type_at(op::matmul::a), data_of(call, op::matmul::a), params_.lda,
           (call.spec.flags & kMatmulTransposeA) != 0),
        b_(call.type_at(op::matmul::b), data_of(call, op::matmul::b), params_.ldb,
           (call.spec.flags & kMatmulTransposeB) != 0),
        tiling_(tiling_of(params_)),
        c_in_(call.type_at(op::matmul::c), data_of(call, op::matmul::c)),
        c_out_(call.type_at(op::matmul::c), data_of(call, op::matmul::c)),
        bias_(call.type_at(op::matmul::bias), data_of(call, op::matmul::bias)),
        aux_in_(call.type_at(op::matmul::c), data_of(call, op::matmul::aux)),
        aux_out_(call.type_at(op::matmul::c), data_of(call, op::matmul::aux)),
        has_bias_(data_of(call, op::matmul::bias) != nullptr),
        has_aux_(data_of(call, op::matmul::aux) != nullptr && !differentiates(call)) {
    const auto activation = static_cast<Activation>(call.spec.function);
    if (activation != Activation::none) {
      const UnaryBlocks blocks = unary_blocks(function_of(activation));
      if (differentiates(call)) {
        derivative_ = blocks.derivative;
      } else {
        activation_ = blocks.forward;
      }
    }
    in_place_ = call.type_at(op::matmul::c) == DType::f32 && !has_bias_ && !has_aux_ && activation_ == nullptr &&
                derivative_ == nullptr;
    if (a_.in_place() && b_.in_place()) tiling_.depth = std::max(params_.k, 1);
  }

  void run(Threads& threads) const {
    const int down = (params_.m + tiling_.rows - 1) / tiling_.rows;
    const int across = (params_.n + tiling_.columns - 1) / tiling_.columns;
    const auto tiles = static_cast<std::size_t>(down) * static_cast<std::size_t>(across);
    const std::size_t tasks = tiles * static_cast<std::size_t>(params_.batch);
    const std::int64_t products = std::int64_t{params_.m} * params_.n * params_.k * params_.batch;
    run_tasks(threads, tasks, products <= kSmallProduct, [&](std::size_t task) {
      const auto tile = static_cast<int>(task % tiles);
      run_tile(static_cast<std::int64_t>(task / tiles), tile / across * tiling_.rows, tile % across * tiling_.columns);
    });
  }

 private:
  void run_tile(std::int64_t item, int row, int column) const {
    const int rows = std::min(tiling_.rows, params_.m - row);
    const int columns = std::min(tiling_.columns, params_.n - column);
    const std::int64_t start = item * params_.c_batch_stride + static_cast<std::int64_t>(row) * params_.ldc + column;
    float* sums = nullptr;
    int leading = columns;
    float beta = 0.0f;
    if (in_place_) {
      sums = c_out_.place(static_cast<std::size_t>(start), nullptr);
      leading = params_.ldc;
      beta = params_.beta;
    } else {
      sums = Scratch::sized(scratch.sums, static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    }
    for (int k = 0; k < params_.k || k == 0; k += tiling_.depth, beta = 1.0f) {
      const int depth = std::min(tiling_.depth, params_.k - k);
      const auto a = a_.panel(item * params_.a_batch_stride, row, k, rows, depth, scratch.a);
      const auto b = b_.panel(item * params_.b_batch_stride, k, column, depth, columns, scratch.b);
      cblas_sgemm(CblasRowMajor, a_.order(), b_.order(), rows, columns, depth, params_.alpha, a.values,
                  std::max(a.leading, 1), b.values, std::max(b.leading, 1), beta, sums, leading);
    }
    if (!in_place_) finish(sums, start, column, rows, columns);
  }

  // The epilogue of one tile.
  void finish(float* sums, std::int64_t start, int column, int rows, int columns) const {
    const auto count = static_cast<std::size_t>(columns);
    const auto add = HWY_DYNAMIC_DISPATCH(find_add_scaled)();
    Block blocks[3];
    const float* bias = nullptr;
    if (has_bias_) bias = bias_.read(static_cast<std::size_t>(column), count, blocks[0].values);
    for (int r = 0; r < rows; ++r, sums += columns, start += params_.ldc) {
      const auto at = static_cast<std::size_t>(start);
      if (params_.beta != 0.0f) add(c_in_.read(at, count, blocks[1].values), params_.beta, sums, count);
      if (bias != nullptr) add(bias, 1.0f, sums, count);
      if (has_aux_) store_row(aux_out_, at, count, sums);
      if (activation_ != nullptr) activation_(sums, sums, count, 0.0f, 0.0f);
      if (derivative_ != nullptr) {
        const float* x = aux_in_.read(at, count, blocks[2].values);
        derivative_({x, x, sums}, sums, count, 0.0f, 0.0f);
      }
      store_row(c_out_, at, count, sums);
    }
  }

  static void store_row(const Output& out, std::size_t at, std::size_t count, float* values) {
    float* place = out.place(at, values);
    if (place != values) std::memcpy(place, values, count * sizeof(float));
    out.write(at, count, values);
  }

  MatmulParams params_;
  Operand a_, b_;
  Tiling tiling_;
  Input c_in_;
  Output c_out_;
  Input bias_;
  Input aux_in_;  // with kMatmulDerivative
  Output aux_out_;
  bool has_bias_;
  bool has_aux_;
  bool in_place_;
  void (*activation_)(const float*, float*, std::size_t, float, float) = nullptr;
  void (*derivative_)(const UnaryInputs&, float*, std::size_t, float, float) = nullptr;
};

void matmul(const KernelCall& call, Threads& threads) {
  const auto params = call.params<MatmulParams>();
  if (params.m <= 0 || params.n <= 0 || params.batch <= 0) return;
  Product(call).run(threads);
}

}  // namespace

Launcher find_matmul(KernelId kernel, const Spec& spec) {
  if (kernel != KernelId::matmul || !is_f32_or_16bit(kernel, spec)) return nullptr;
  if ((spec.flags & kMatmulBiasGradient) != 0) return nullptr;
  // The tasks are the parallelism: a library that threads on its own would fight them for the cores.
  static const bool single_threaded = (openblas_set_num_threads(1), true);
  return single_threaded ? matmul : nullptr;
}

}  // namespace amphora::cpu::simd
#endif
