// What a device gives: copies, each memory-bound kernel beside the copy, and products.
//
//   ./run bench ceilings --backend cuda --json out.json
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "amphora/app.h"
#include "amphora/io/file.h"
#include "amphora/kernel/dense_product.h"
#include "amphora/kernel/optimizers.h"
#include "arrays.h"
#include "measurements.h"
#include "stopwatch.h"

namespace {

namespace am = amphora;
using am::BufferPtr;
using am::DType;
using am::KernelCall;
using am::KernelId;
using am::Spec;
using am::bench::Measurements;

std::uint8_t id_of(am::UnaryFunction function) { return static_cast<std::uint8_t>(function); }

class Ceilings {
 public:
  Ceilings(am::Device& device, bool quick)
      : device_(device), watch_(device, quick ? 3 : 9, quick ? 0.005 : 0.05), arrays_(device), quick_(quick) {
    // A GPU's L2 cache holds up to some 100 MB, arrays of the smallest type 256 MiB.
    rows_ = quick ? 256 : 16384;
    columns_ = quick ? 512 : 8192;
  }

  Measurements run() {
    measure_flat_kernels();
    measure_rows();
    measure_optimizer();
    for (const am::Precision precision : device_.info().precisions) measure_products(precision);
    return measurements_;
  }

 private:
  std::uint32_t count() const { return rows_ * columns_; }

  template <class Params>
  KernelCall call(KernelId id, const Spec& spec, const Params& params, const std::vector<BufferPtr>& buffers) const {
    KernelCall result(id, spec, params);
    for (const BufferPtr& buffer : buffers) {
      result.with(buffer == nullptr ? am::BufferRange{} : am::BufferRange{buffer.get(), 0, buffer->bytes()});
    }
    return result;
  }

  // `bytes`: read and written for each of count() elements.
  void memory(const std::string& what, const std::string& types, int bytes, const KernelCall& launched) {
    const double all = static_cast<double>(bytes) * count();
    measurements_.add({what, types, fmt::format("{} x {}", rows_, columns_), 0.0, all, false},
                      [&] { return watch_.seconds(launched); });
  }

  void measure_flat_kernels() {
    const std::size_t n = count();
    const std::uint32_t size = count();
    const BufferPtr f32 = arrays_.random(DType::f32, n), f32_out = arrays_.random(DType::f32, n);
    const BufferPtr a = arrays_.random(DType::f16, n), b = arrays_.random(DType::f16, n);
    const BufferPtr out = arrays_.random(DType::f16, n);
    const am::DType f16 = DType::f16;
    memory(Measurements::kCopy, "f32", 8,
           call(KernelId::copy, {{DType::f32, DType::f32}}, am::CopyParams{1, {size}, {1}, {1}}, {f32, f32_out}));
    memory("cast", "f32 -> f16", 6,
           call(KernelId::cast, {{DType::f32, DType::f16}}, am::CountParams{count()}, {f32, out}));
    memory("cast", "f16 -> f32", 6,
           call(KernelId::cast, {{DType::f16, DType::f32}}, am::CountParams{count()}, {a, f32_out}));
    const am::UnaryParams unary{count(), 0.0f, 0.0f};
    const std::uint8_t gelu = id_of(am::UnaryFunction::gelu);
    memory("gelu", "f16", 4, call(KernelId::unary, {{f16, f16}, gelu}, unary, {a, out}));
    memory("gelu's gradient", "f16", 8,
           call(KernelId::unary_grad, {{f16, f16, f16, f16}, gelu}, unary, {a, b, b, out}));
    const auto add = static_cast<std::uint8_t>(am::BinaryFunction::add);
    memory("add", "f16", 6,
           call(KernelId::binary, {{f16, f16, f16}, add}, am::BinaryParams{1, {size}, {1}, {1}, {1}}, {a, b, out}));
    memory("dropout", "f16", 4,
           call(KernelId::dropout, {{f16, f16}}, am::DropoutParams{count(), 0x80000000u, 2.0f, 1, 2, 3, 4}, {a, out}));
  }

  void measure_rows() {
    const std::size_t n = count();
    const BufferPtr x = arrays_.random(DType::f16, n), y = arrays_.random(DType::f16, n);
    const BufferPtr out = arrays_.random(DType::f16, n);
    const BufferPtr row_sums = arrays_.random(DType::f32, rows_), column_sums = arrays_.random(DType::f32, columns_);
    const Spec sum{{DType::f16, DType::f32}};
    memory("sum of each row", "f16 -> f32", 2,
           call(KernelId::reduce, sum, am::ReduceParams{rows_, columns_, 1, 1.0f, 0}, {x, row_sums}));
    memory("sum of each column", "f16 -> f32", 2,
           call(KernelId::reduce, sum, am::ReduceParams{1, rows_, columns_, 1.0f, 0}, {x, column_sums}));
    const am::RowsParams rows{rows_, columns_};
    memory("softmax", "f16", 4, call(KernelId::softmax, {{DType::f16, DType::f16}}, rows, {x, out}));
    memory("softmax's gradient", "f16", 6,
           call(KernelId::softmax_grad, {{DType::f16, DType::f16, DType::f16}}, rows, {x, y, out}));
    const BufferPtr targets = arrays_.random(DType::i32, rows_), loss = arrays_.random(DType::f32, rows_);
    const am::CrossEntropyParams entropy{rows_, columns_, 1};
    memory("cross-entropy", "f16", 2,
           call(KernelId::cross_entropy, {{DType::f16, DType::i32, DType::f32, DType::f32}}, entropy,
                {x, targets, loss, row_sums}));
    memory("cross-entropy's gradient", "f16", 4,
           call(KernelId::cross_entropy_grad, {{DType::f16, DType::i32, DType::f32, DType::f32}}, entropy,
                {x, targets, row_sums, loss, out}));
  }

  // Over flat arenas. The scale is 1 and the rate tiny, so that numbers stay what they are however often it runs.
  void measure_optimizer() {
    const std::size_t n = count();
    const BufferPtr gradient = arrays_.random(DType::f32, n), master = arrays_.random(DType::f32, n);
    const BufferPtr m = arrays_.random(DType::f32, n), v = arrays_.filled(n, 1.0f);
    const BufferPtr working = arrays_.random(DType::f16, n), total = arrays_.filled(1, 0.0f);
    const BufferPtr scaler = arrays_.state(am::ScalerState{1.0f, 0, 1, 0.0f, 0, 0});
    const BufferPtr stats = arrays_.state(am::GradientStats{0.0f});
    const BufferPtr group = arrays_.state(am::GroupState{1e-9f, 1, 0, 1.0f, 0.1f, 0.03f});
    const am::CountParams flat{count()};
    memory("inspect", "f32", 4, call(KernelId::inspect, {{DType::f32}}, flat, {gradient, scaler, stats}));
    memory("unscale", "f32", 8, call(KernelId::unscale, {{DType::f32}}, flat, {gradient, scaler, stats}));
    memory("norm", "f32", 4,
           call(KernelId::gradient_norm, {{DType::f32, DType::f32}}, am::GradientNormParams{count(), 2.0f},
                {gradient, total}));
    const am::OptimizerParams adam = am::optimizer_params(count(), am::constants::adam{.complement1 = 0.1,
                                                                                       .beta2 = 0.999,
                                                                                       .complement2 = 0.001,
                                                                                       .epsilon = 1e-8,
                                                                                       .l2 = 0.0,
                                                                                       .weight_decay = 0.01});
    const Spec spec{{DType::f32, DType::f32, DType::f16, DType::f32},
                    static_cast<std::uint8_t>(am::OptimizerRule::adam)};
    memory("AdamW", "f32, f16 working copy", 30,
           call(KernelId::optimizer_step, spec, adam, {gradient, master, working, m, v, nullptr, group}));
  }

  // c[m, n] = op(a) op(b); the gradient of weights is added to f32.
  struct Product {
    std::string what;
    int m, n, k;
    std::uint8_t flags;
    bool adds = false;
  };

  std::vector<Product> products() const {
    using am::kMatmulTransposeA, am::kMatmulTransposeB;
    if (quick_)
      return {{"cube", 128, 128, 128, kMatmulTransposeB},
              {"gradient of weights", 64, 96, 128, kMatmulTransposeA, true}};
    std::vector<Product> result;
    for (const int size : {1024, 2048, 4096, 8192}) result.push_back({"cube", size, size, size, kMatmulTransposeB});
    // GPT-2 124M (Radford et al. 2019), 8,192 tokens: attention in and out, both layers of the MLP, the head. Weights
    // are [out, in].
    constexpr int kTokens = 8192;
    for (const auto& [out, in] : {std::pair{2304, 768}, {768, 768}, {3072, 768}, {768, 3072}, {50304, 768}}) {
      result.push_back({"GPT-2, forward", kTokens, out, in, kMatmulTransposeB});
      result.push_back({"GPT-2, gradient of inputs", kTokens, in, out, 0});
      result.push_back({"GPT-2, gradient of weights", out, in, kTokens, kMatmulTransposeA, true});
    }
    return result;
  }

  void measure_products(am::Precision precision) {
    for (const Product& product : products()) {
      const double operations = 2.0 * product.m * product.n * product.k;
      measurements_.add({product.what, std::string(am::name_of(precision)),
                         fmt::format("{} x {} x {}", product.m, product.n, product.k), 0.0, operations, true},
                        [&] { return seconds_of(product, precision); });
    }
  }

  double seconds_of(const Product& p, am::Precision precision) {
    const DType type = am::amp::policy_of(precision).compute;
    const auto elements = [](int rows, int columns) {
      return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    };
    const DType result = p.adds ? DType::f32 : type;
    const BufferPtr a = arrays_.random(type, elements(p.m, p.k)), b = arrays_.random(type, elements(p.n, p.k));
    const BufferPtr c = arrays_.random(result, elements(p.m, p.n));
    Spec spec{{type, type, result, DType::f32}, 0, p.flags};
    if (precision == am::Precision::tf32) spec.flags |= am::kMatmulTf32;
    am::MatmulParams params = am::dense_product(p.m, p.n, p.k);
    if ((p.flags & am::kMatmulTransposeA) != 0) params.lda = p.m;
    if ((p.flags & am::kMatmulTransposeB) != 0) params.ldb = p.k;
    params.beta = p.adds ? 1.0f : 0.0f;
    return watch_.seconds(call(KernelId::matmul, spec, params, {a, b, c}));
  }

  am::Device& device_;
  am::bench::Stopwatch watch_;
  am::bench::Arrays arrays_;
  bool quick_;
  std::uint32_t rows_, columns_;
  Measurements measurements_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string backend = "auto";
  std::string json;
  am::DeviceOptions options;
  bool quick = false;
  bool complete = true;
  const int code = am::app::run_reporting_errors("ceilings", [&] {
    am::app::CommandLine line({.program = "bench_ceilings",
                               .description = "Times copies, memory-bound kernels and products on one backend."});
    line.add_text("--backend", backend, "NAME", "which backend");
    line.add_text("--device", options.device, "INDEX|NAME", "its index, or a part of its name");
    line.add_path("--json", json, "FILE", "write the table to a file, too");
    line.add_switch("--quick", quick, "small sizes, to see that it runs");
    if (!line.parse(argc, argv)) return;
    const auto device = am::open_device(backend, options);
    const am::DeviceInfo& info = device->info();
    const Measurements found = Ceilings(*device, quick).run();
    if (!json.empty()) {
      const am::io::Json report = {{"backend", info.backend},
                                   {"device", info.name},
                                   {"copy_gb_per_second", found.best(false)},
                                   {"product_tflops", found.best(true)},
                                   {"failures", found.failures()},
                                   {"results", found.json()}};
      am::io::write_file(json, report.dump(2) + "\n");
    }
    fmt::print("{} on {}\n\n{}\n", info.backend, info.name, found.str());
    for (const std::string& failure : found.failures()) fmt::print("FAILED: {}\n", failure);
    fmt::print("copy {:.1f} GB/s, best product {:.3f} TFLOP/s\n", found.best(false), found.best(true));
    complete = found.failures().empty();
  });
  return code != 0 ? code : complete ? 0 : 1;
}
