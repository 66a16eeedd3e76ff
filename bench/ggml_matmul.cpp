// The f16 product 4096 x 512 x 14336 on the vulkan backend and on ggml's: ./run bench ggml_matmul
//
// Nothing of ggml is built in: its libraries are opened at run time, from where scripts/ggml_kit unpacks Debian's.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <dlfcn.h>

#include "amphora/app.h"
#include "product.h"

namespace {

namespace am = amphora;

// What is called of ggml's C interface, which its headers declare like this.
struct InitParams {
  std::size_t bytes;
  void* memory;
  bool no_alloc;
};

class Ggml {
 public:
  explicit Ggml(const std::filesystem::path& root) {
    // Each library finds those that it needs among the ones that are open.
    const std::filesystem::path folder = folder_of(root);
    open(folder / "libgomp.so.1");
    open(folder / "libggml-base.so.0");
    open(folder / "libggml.so.0");
    // Without this it leaves processors' drivers out.
    setenv("GGML_VK_VISIBLE_DEVICES", "0", 0);
    const std::string driver = folder / "ggml/backends0/libggml-vulkan.so";
    am::require(call<void*>("ggml_backend_load", driver.c_str()) != nullptr, "ggml cannot load {}", driver);
    backend_ = call<void*>("ggml_backend_init_by_name", "Vulkan0", static_cast<const char*>(nullptr));
    am::require(backend_ != nullptr, "ggml's vulkan backend finds no device");
  }

  // Of one run. w: f16, x: f32, as its models have them. The first one compiles.
  double seconds(am::bench::Shape3 shape) {
    void* context = call<void*>("ggml_init", InitParams{std::size_t{1} << 20, nullptr, true});
    void* w = call<void*>("ggml_new_tensor_2d", context, kF16, std::int64_t{shape.depth}, std::int64_t{shape.columns});
    void* x = call<void*>("ggml_new_tensor_2d", context, kF32, std::int64_t{shape.depth}, std::int64_t{shape.rows});
    void* graph = call<void*>("ggml_new_graph", context);
    call<void>("ggml_build_forward_expand", graph, call<void*>("ggml_mul_mat", context, w, x));
    void* buffer = call<void*>("ggml_backend_alloc_ctx_tensors", context, backend_);
    am::require(buffer != nullptr, "ggml has no memory for a product of {} x {} x {}", shape.rows, shape.columns,
                shape.depth);
    for (void* tensor : {w, x}) {
      const std::vector<std::byte> zeros(call<std::size_t>("ggml_nbytes", static_cast<const void*>(tensor)));
      call<void>("ggml_backend_tensor_set", tensor, static_cast<const void*>(zeros.data()), std::size_t{0},
                 zeros.size());
    }
    const auto start = std::chrono::steady_clock::now();
    am::require(call<int>("ggml_backend_graph_compute", backend_, graph) == 0, "ggml could not multiply");
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    call<void>("ggml_backend_buffer_free", buffer);
    call<void>("ggml_free", context);
    return taken.count();
  }

 private:
  static constexpr int kF32 = 0;
  static constexpr int kF16 = 1;

  static std::filesystem::path folder_of(const std::filesystem::path& root) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(root / "usr/lib", none)) {
      if (std::filesystem::exists(entry.path() / "libggml.so.0")) return entry.path();
    }
    am::fail("there is no ggml in {}; scripts/ggml_kit brings it", root.string());
  }

  void open(const std::filesystem::path& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    am::require(library != nullptr, "cannot open {}", dlerror());
  }

  template <class Result, class... Arguments>
  static Result call(const char* name, Arguments... arguments) {
    void* symbol = dlsym(RTLD_DEFAULT, name);
    am::require(symbol != nullptr, "ggml has no function {}; its interface has changed", name);
    return reinterpret_cast<Result (*)(Arguments...)>(symbol)(arguments...);
  }

  void* backend_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  std::string root = ".deps/ggml";
  std::vector<int> sizes = {512, 4096, 14336};
  int runs = 2;
  return am::app::run_reporting_errors("ggml_matmul", [&] {
    am::app::CommandLine line(
        {.program = "bench_ggml_matmul",
         .description =
             "Times y[ROWS, COLUMNS] = x[ROWS, DEPTH] w[COLUMNS, DEPTH]^T in f16 here and in ggml, on Vulkan."});
    line.add_path("--ggml", root, "DIR", "a folder with ggml's packages, unpacked");
    line.add_whole("--runs", runs, "N", "the best of so many counts", 1, 1'000'000);
    line.add_sizes("sizes", sizes, "ROWS COLUMNS DEPTH");
    if (!line.parse(argc, argv)) return;
    const am::bench::Shape3 shape{sizes[0], sizes[1], sizes[2]};
    const auto device = am::open_device("vulkan");
    am::bench::Product product(*device, am::DType::f16, shape);
    Ggml ggml(root);
    product.seconds();
    ggml.seconds({shape.rows, shape.columns, 256});  // compiles as well, and sooner
    // By turns, so that a machine that is busy with something else is so for both.
    double ours = std::numeric_limits<double>::infinity();
    double theirs = ours;
    for (int run = 0; run < runs; ++run) {
      ours = std::min(ours, product.seconds());
      theirs = std::min(theirs, ggml.seconds(shape));
    }
    fmt::print("amphora: {:8.2f} GFLOP/s, {}\n", shape.flops() / ours * 1e-9, product.path());
    fmt::print("ggml:    {:8.2f} GFLOP/s\n", shape.flops() / theirs * 1e-9);
    fmt::print("{:.2f} times ggml's rate\n", theirs / ours);
  });
}
