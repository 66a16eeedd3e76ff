// Times products on a backend: ./run bench matmul --backend vulkan --type f16 512 4096 14336
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "amphora/app.h"
#include "product.h"

int main(int argc, char** argv) {
  namespace am = amphora;
  std::string backend = "auto";
  std::string type = "f16";
  am::DeviceOptions options;
  bool no_matrices = false;
  std::vector<int> sizes = {1024, 1024, 1024};
  int runs = 3;
  return am::app::run_reporting_errors("matmul", [&] {
    am::app::CommandLine line(
        {.program = "bench_matmul",
         .description = "Times y[ROWS, COLUMNS] = x[ROWS, DEPTH] w[COLUMNS, DEPTH]^T on one backend."});
    line.add_text("--backend", backend, "NAME", "which backend");
    line.add_text("--device", options.device, "INDEX|NAME", "its index, or a part of its name");
    line.add_choice("--type", type, {"f32", "f16", "bf16"}, "TYPE", "of x and w: f32, f16 or bf16");
    line.add_whole("--runs", runs, "N", "the best of so many counts", 1, 1'000'000);
    line.add_switch("--no-cooperative-matrix", no_matrices, "by multiply-adds");
    line.add_sizes("sizes", sizes, "ROWS COLUMNS DEPTH");
    if (!line.parse(argc, argv)) return;
    options.cooperative_matrix = !no_matrices;
    const auto device = am::open_device(backend, options);
    const am::bench::Shape3 shape{sizes[0], sizes[1], sizes[2]};
    am::bench::Product product(*device, *am::dtype_from_name(type), shape);
    double seconds = std::numeric_limits<double>::infinity();
    product.seconds();
    for (int run = 0; run < runs; ++run) seconds = std::min(seconds, product.seconds());
    fmt::print("{} x {} x {} in {} on {} ({}): {:.2f} GFLOP/s, {:.2f} ms\n", shape.rows, shape.columns, shape.depth,
               type, device->info().name, product.path(), shape.flops() / seconds * 1e-9, seconds * 1e3);
  });
}
