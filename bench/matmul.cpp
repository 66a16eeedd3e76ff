// Times products on a backend: ./run bench matmul --backend vulkan --type f16 512 4096 14336
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "product.h"

int main(int argc, char** argv) {
  namespace am = amphora;
  std::string backend = "auto";
  std::string type = "f16";
  am::DeviceOptions options;
  bool no_matrices = false;
  std::vector<int> sizes = {1024, 1024, 1024};
  int runs = 3;
  CLI::App app("Times y[ROWS, COLUMNS] = x[ROWS, DEPTH] w[COLUMNS, DEPTH]^T on one backend.");
  app.add_option("--backend", backend, "which backend")->capture_default_str();
  app.add_option("--device", options.device, "its index, or a part of its name");
  app.add_option("--type", type, "of x and w")->check(CLI::IsMember({"f32", "f16", "bf16"}))->capture_default_str();
  app.add_option("--runs", runs, "the best of so many counts")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--no-cooperative-matrix", no_matrices, "by multiply-adds");
  app.add_option("sizes", sizes, "ROWS COLUMNS DEPTH")->expected(3)->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    options.cooperative_matrix = !no_matrices;
    const auto device = am::open_device(backend, options);
    const am::bench::Shape3 shape{sizes[0], sizes[1], sizes[2]};
    am::bench::Product product(*device, *am::dtype_from_name(type), shape);
    double seconds = std::numeric_limits<double>::infinity();
    product.seconds();
    for (int run = 0; run < runs; ++run) seconds = std::min(seconds, product.seconds());
    fmt::print("{} x {} x {} in {} on {} ({}): {:.2f} GFLOP/s, {:.2f} ms\n", shape.rows, shape.columns, shape.depth,
               type, device->info().name, product.path(), shape.flops() / seconds * 1e-9, seconds * 1e3);
  } catch (const am::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
