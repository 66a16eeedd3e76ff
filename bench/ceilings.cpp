// What a device gives: copies, products, and each memory-bound kernel beside the copy.
//
//   ./run bench ceilings --backend cuda --json out.json
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "amphora/amphora.h"
#include "io/file.h"
#include "io/table.h"

namespace {

namespace am = amphora;
using am::DType;
using am::KernelCall;
using am::KernelId;
using am::Spec;

// Seconds of one call: the median of several batches of calls, each batch between two waits.
class Stopwatch {
 public:
  Stopwatch(am::Device& device, bool quick) : device_(device), batches_(quick ? 3 : 7), least_(quick ? 0.01 : 0.05) {}

  double seconds(const KernelCall& call) const {
    device_.launch(call);  // compiles, and chooses algorithms
    device_.wait();
    const double once = batch(call, 1);
    const int calls = std::clamp(static_cast<int>(least_ / once), 1, 1000);
    std::vector<double> times;
    for (int i = 0; i < batches_; ++i) times.push_back(batch(call, calls) / calls);
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

 private:
  double batch(const KernelCall& call, int calls) const {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) device_.launch(call);
    device_.wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  am::Device& device_;
  int batches_;
  double least_;  // seconds a batch should take
};

class Ceilings {
 public:
  Ceilings(am::Device& device, bool quick) : device_(device), watch_(device, quick), quick_(quick) {}

  void run() {
    measure_memory();
    measure_products();
  }

  std::vector<am::io::Row> rows{{"what", "types", "shape", "time", "rate", "of the copy"}};
  double best_copy = 0.0;     // bytes a second
  double best_product = 0.0;  // operations a second

 private:
  am::BufferPtr array(DType type, std::size_t count) {
    const std::size_t bytes = count * am::size_of(type);
    am::BufferPtr buffer = device_.allocate(std::max<std::size_t>(bytes, 1), am::MemoryKind::inputs);
    // A block of random numbers again and again: what is multiplied must not be all zeros.
    constexpr std::size_t kBlock = 65536;
    std::vector<std::byte> block(kBlock * am::size_of(type));
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const double value = type == DType::i32 ? static_cast<double>(i % 1000) : normal(engine_);
      am::store_element(type, block.data(), i, value);
    }
    for (std::size_t at = 0; at < bytes; at += block.size()) {
      device_.upload(*buffer, at, std::span(block).first(std::min(block.size(), bytes - at)));
    }
    return buffer;
  }

  static am::BufferRange all(const am::BufferPtr& buffer) {
    return buffer == nullptr ? am::BufferRange{} : am::BufferRange{buffer.get(), 0, buffer->bytes()};
  }

  template <class Params>
  void memory(const std::string& what, KernelId id, const Spec& spec, const Params& params, const std::string& types,
              std::size_t bytes, const std::vector<am::BufferPtr>& buffers) {
    KernelCall call(id, spec, params);
    for (const am::BufferPtr& buffer : buffers) call.with(all(buffer));
    const double seconds = watch_.seconds(call);
    const double rate = static_cast<double>(bytes) / seconds;
    if (id == KernelId::copy) best_copy = std::max(best_copy, rate);
    rows.push_back({what, types, fmt::format("{:.0f} MB", static_cast<double>(bytes) * 1e-6),
                    fmt::format("{:.3f} ms", seconds * 1e3), fmt::format("{:.0f} GB/s", rate * 1e-9),
                    fmt::format("{:.2f}", rate / best_copy)});
  }

  void measure_memory() {
    const std::uint32_t rows_count = quick_ ? 512 : 16384;
    const std::uint32_t columns = quick_ ? 1024 : 8192;
    const std::uint32_t count = rows_count * columns;
    const std::size_t n = count;
    const am::BufferPtr f32 = array(DType::f32, n), f32_out = array(DType::f32, n);
    const am::BufferPtr f16 = array(DType::f16, n), f16_b = array(DType::f16, n), f16_out = array(DType::f16, n);
    const auto flat = static_cast<std::int32_t>(count);
    const CopyParams copy{1, {flat}, {1}, {1}};
    memory("copy", KernelId::copy, {{DType::f32, DType::f32}}, copy, "f32", 8 * n, {f32, f32_out});
    memory("cast", KernelId::cast, {{DType::f32, DType::f16}}, CountParams{count}, "f32 -> f16", 6 * n, {f32, f16_out});
    const auto gelu = static_cast<std::uint8_t>(am::UnaryFunction::gelu);
    memory("gelu", KernelId::unary, {{DType::f16, DType::f16}, gelu}, UnaryParams{count, 0.0f, 0.0f}, "f16", 4 * n,
           {f16, f16_out});
    memory("gelu's gradient", KernelId::unary_grad, {{DType::f16, DType::f16, DType::f16, DType::f16}, gelu},
           UnaryParams{count, 0.0f, 0.0f}, "f16", 8 * n, {f16, f16_b, f16_b, f16_out});
    const auto add = static_cast<std::uint8_t>(am::BinaryFunction::add);
    memory("add", KernelId::binary, {{DType::f16, DType::f16, DType::f16}, add}, BinaryParams{1, {flat}, {1}, {1}, {1}},
           "f16", 6 * n, {f16, f16_b, f16_out});
    memory("dropout", KernelId::dropout, {{DType::f16, DType::f16}},
           DropoutParams{count, 0x80000000u, 2.0f, 1, 2, 3, 4}, "f16", 4 * n, {f16, f16_out});
    const am::BufferPtr line = array(DType::f32, std::max(rows_count, columns));
    memory("sum of rows", KernelId::reduce, {{DType::f16, DType::f32}}, ReduceParams{rows_count, columns, 1, 1.0f, 0},
           "f16 -> f32", 2 * n, {f16, line});
    memory("sum of columns", KernelId::reduce, {{DType::f16, DType::f32}},
           ReduceParams{1, rows_count, columns, 1.0f, 0}, "f16 -> f32", 2 * n, {f16, line});
    memory("softmax", KernelId::softmax, {{DType::f16, DType::f16}}, RowsParams{rows_count, columns}, "f16", 4 * n,
           {f16, f16_out});
    const am::BufferPtr targets = array(DType::i32, rows_count), loss = array(DType::f32, rows_count);
    const CrossEntropyParams entropy{rows_count, columns, 1};
    memory("cross-entropy", KernelId::cross_entropy, {{DType::f16, DType::i32, DType::f32, DType::f32}}, entropy, "f16",
           2 * n, {f16, targets, loss, line});
    memory("its gradient", KernelId::cross_entropy_grad, {{DType::f16, DType::i32, DType::f32, DType::f32}}, entropy,
           "f16", 4 * n, {f16, targets, line, loss, f16_out});
    measure_optimizer(count);
  }

  // Over flat arenas: gradients are read once for the statistics, masters and moments are read and written.
  void measure_optimizer(std::uint32_t count) {
    const std::size_t n = count;
    const am::BufferPtr gradient = array(DType::f32, n), master = array(DType::f32, n), m = array(DType::f32, n);
    const am::BufferPtr v = device_.allocate(4 * n, am::MemoryKind::optimizer_state);
    device_.launch(KernelCall(KernelId::fill, Spec{{DType::f32}}, FillParams{count, 1.0f}).with(all(v)));
    const am::BufferPtr working = array(DType::f16, n);
    const ScalerState scaler_state{65536.0f, 0, 1, 0.0f, 0, 0};
    const GradientStats stats_state{0.0f};
    const GroupState group_state{1e-9f, 1, 0, 1.0f, 0.1f, 0.03f};
    const am::BufferPtr scaler = state(scaler_state), stats = state(stats_state), group = state(group_state);
    const am::BufferPtr total = array(DType::f32, 1);
    const CountParams flat{count};
    memory("inspect", KernelId::inspect, {{DType::f32}}, flat, "f32", 4 * n, {gradient, scaler, stats});
    memory("norm", KernelId::norm, {{DType::f32, DType::f32}}, NormParams{count, 2.0f}, "f32", 4 * n,
           {gradient, total});
    const AdamParams adam{count, 0.9f, 0.0f, 0.999f, 0.0f, 1e-8f, 0.01f, 1};
    memory("AdamW with a working copy", KernelId::adam, {{DType::f32, DType::f32, DType::f16, DType::f32}}, adam,
           "f32, f16 copy", 30 * n, {gradient, master, working, m, v, group});
  }

  template <class State>
  am::BufferPtr state(const State& value) {
    am::BufferPtr buffer = device_.allocate(sizeof(State), am::MemoryKind::optimizer_state);
    device_.upload(*buffer, 0, std::as_bytes(std::span(&value, 1)));
    return buffer;
  }

  struct Shape {
    std::string name;
    int m, n, k;
    bool weight_gradient = false;  // a^T b, added to f32
  };

  std::vector<Shape> shapes() const {
    if (quick_) return {{"cube", 256, 256, 256}, {"gradient of weights", 64, 128, 512, true}};
    std::vector<Shape> result;
    for (const int size : {1024, 2048, 4096, 8192}) result.push_back({"cube", size, size, size});
    // GPT-2 124M (Radford et al. 2019), 8,192 tokens: attention in and out, both layers of the MLP, the head.
    constexpr int kTokens = 8192;
    for (const auto& [out, in] : {std::pair{2304, 768}, {768, 768}, {3072, 768}, {768, 3072}, {50304, 768}}) {
      result.push_back({"GPT-2 forward", kTokens, out, in});
      result.push_back({"GPT-2 gradient of activations", kTokens, in, out});
      result.push_back({"GPT-2 gradient of weights", out, in, kTokens, true});
    }
    return result;
  }

  void measure_products() {
    for (const am::Precision precision : device_.info().precisions) {
      const DType type = am::amp::policy_of(precision).compute;
      for (const Shape& shape : shapes()) measure_product(precision, type, shape);
    }
  }

  void measure_product(am::Precision precision, DType type, const Shape& s) {
    const auto elements = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
    const am::BufferPtr a = array(type, elements(s.m, s.k)), b = array(type, elements(s.n, s.k));
    const DType result = s.weight_gradient ? DType::f32 : type;
    const am::BufferPtr c = array(result, elements(s.m, s.n));
    Spec spec{{type, type, result, DType::f32}};
    spec.flags = s.weight_gradient ? am::kFlagTransposeA : am::kFlagTransposeB;
    if (precision == am::Precision::tf32) spec.flags |= am::kFlagTf32;
    const MatmulParams params{s.m, s.n, s.k, 1,    s.weight_gradient ? s.m : s.k,  s.weight_gradient ? s.n : s.k, s.n,
                              0,   0,   0,   1.0f, s.weight_gradient ? 1.0f : 0.0f};
    KernelCall call(KernelId::matmul, spec, params);
    call.with(all(a)).with(all(b)).with(all(c));
    const double seconds = watch_.seconds(call);
    const double rate = 2.0 * s.m * s.n * s.k / seconds;
    best_product = std::max(best_product, rate);
    rows.push_back({s.name, std::string(am::name_of(precision)), fmt::format("{} x {} x {}", s.m, s.n, s.k),
                    fmt::format("{:.3f} ms", seconds * 1e3), fmt::format("{:.2f} TFLOP/s", rate * 1e-12), ""});
  }

  am::Device& device_;
  Stopwatch watch_;
  bool quick_;
  std::mt19937_64 engine_{1};
};

void write_json(const std::string& path, const am::Device& device, const Ceilings& ceilings) {
  if (path.empty()) return;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t i = 1; i < ceilings.rows.size(); ++i) rows.push_back(ceilings.rows[i]);
  const nlohmann::ordered_json json = {{"backend", device.info().backend},
                                       {"device", device.info().name},
                                       {"columns", ceilings.rows.front()},
                                       {"rows", rows},
                                       {"copy_bytes_per_second", ceilings.best_copy},
                                       {"product_flops", ceilings.best_product}};
  am::io::write_file(path, json.dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  std::string backend = "auto";
  std::string json;
  am::DeviceOptions options;
  bool quick = false;
  CLI::App app("Times copies, products and memory-bound kernels on one backend.");
  app.add_option("--backend", backend, "which backend")->capture_default_str();
  app.add_option("--device", options.device, "its index, or a part of its name");
  app.add_option("--json", json, "write the table to a file, too");
  app.add_flag("--quick", quick, "small sizes, to see that it runs");
  CLI11_PARSE(app, argc, argv);
  return am::train::guarded("ceilings", [&] {
    const auto device = am::open_device(backend, options);
    Ceilings ceilings(*device, quick);
    ceilings.run();
    write_json(json, *device, ceilings);
    fmt::print("{} on {}\n\n{}\n", device->info().backend, device->info().name, am::io::table(ceilings.rows, "lllrrr"));
    fmt::print("copy {:.0f} GB/s, best product {:.2f} TFLOP/s\n", ceilings.best_copy * 1e-9,
               ceilings.best_product * 1e-12);
  });
}
