// What a plan may rely on: alignments, the workspace, TF32; and which files of choices are trusted.
#include <map>
#include <span>

#include "amphora/device/disk_cache.h"
#include "products_test.h"

namespace amphora::cuda {
namespace {

using Runs = std::map<int, int>;  // by algorithm

class CudaPlans : public CudaProducts {
 protected:
  // GELU's derivative and the sums of its columns, which begin `offset` bytes into their buffer. All of it is 0.
  std::vector<float> sums_of_columns(CudaDevice& device, std::size_t offset, std::uint32_t batch_padding = 0) {
    constexpr int kSize = 64;
    const std::uint32_t stride = kSize * kSize + batch_padding;
    const Spec spec{.types = {},
                    .function = static_cast<std::uint8_t>(Activation::gelu),
                    .flags = kMatmulDerivative | kMatmulBiasGradient};
    const int batch = batch_padding == 0 ? 1 : 2;
    const MatmulParams params{kSize, kSize, kSize, batch, kSize, kSize, kSize, stride, stride, stride, 1.0f, 0.0f};
    const BufferPtr x = buffer_of(device, std::vector<float>(std::size_t{stride} * batch));
    const BufferPtr c = device.allocate(x->bytes(), MemoryKind::activations);
    const BufferPtr sums = buffer_of(device, std::vector<float>(kSize + 4, 1.0f));
    KernelCall call(KernelId::matmul, spec, params);
    call.with(all_of(x)).with(all_of(x)).with(all_of(c)).with({}).with(all_of(x));
    call.with({sums.get(), offset, kSize * sizeof(float)});
    device.launch(call);
    return values_of<float>(device, *sums);
  }

  // How often which algorithm ran an f16 product, once all were timed.
  Runs runs_of_fastest(CudaDevice& device, int fastest, const ProductShape& shape = {}) {
    Runs runs;
    const ProductTime time([&](int algorithm, unsigned) {
      ++runs[algorithm];
      return algorithm == fastest ? 1e3 : 5e3;
    });
    run(device, shape);
    runs.clear();
    run(device, shape);
    return runs;
  }

  // Puts other words into the file of choices, and returns how many proposals the next start asks for.
  std::uint64_t heuristics_with(const std::string& text) {
    EXPECT_TRUE(write_cache(file(), std::as_bytes(std::span(text))));
    const auto before = product_counts().heuristics;
    run(*open_cuda(), {});
    return product_counts().heuristics - before;
  }

  std::string kept_text() const {
    const auto content = read_cache(file()).value_or(std::vector<std::byte>());
    return {reinterpret_cast<const char*>(content.data()), content.size()};
  }
};

// An algorithm that writes sums in 16 bytes is no choice for sums that begin elsewhere, whichever came first.
TEST_F(CudaPlans, TheAlignmentOfABiasGradientIsPartOfAProblem) {
  const ProductTime time([](int algorithm, unsigned epilogue) {
    return (epilogue == CUBLASLT_EPILOGUE_DEFAULT ? 9e6 : 2e3) - 100.0 * algorithm;
  });
  for (const bool aligned_first : {true, false}) {
    const testing::TemporaryFolder own;
    const Variable fresh("AMPHORA_CACHE", own.path().string());
    const auto device = open_cuda();
    for (const std::size_t offset : {aligned_first ? 0u : 4u, aligned_first ? 4u : 0u}) {
      const std::vector<float> sums = sums_of_columns(*device, offset);
      for (std::size_t i = 0; i < sums.size(); ++i) {
        const bool inside = i >= offset / 4 && i < offset / 4 + 64;
        EXPECT_EQ(sums[i], inside ? 0.0f : 1.0f) << i << " at offset " << offset;
      }
    }
  }
}

// cuBLASLt wants a multiple of 8 from batch to batch of GELU's matrix.
TEST_F(CudaPlans, GelusMatrixIsReadByCublasltOnlyWithBatchesThatAreWide) {
  Problem problem(KernelCall(KernelId::matmul, {.function = static_cast<std::uint8_t>(Activation::gelu)},
                             MatmulParams{64, 64, 64, 2, 64, 64, 64, 4096, 4096, 4096, 1.0f, 0.0f}));
  problem.has_aux = true;
  EXPECT_TRUE(epilogue_of(problem).has_value());
  problem.shape.c_batch_stride = 4100;
  EXPECT_FALSE(epilogue_of(problem).has_value());
  EXPECT_EQ(sums_of_columns(*open_cuda(), 0, 4)[0], 0.0f);
}

// Algorithm 3 needs 8 MiB, which is more than what devices before Hopper give.
TEST_F(CudaPlans, TheWorkspaceIsOf32MebibytesOnHopperAndOf4Before) {
  EXPECT_EQ(runs_of_fastest(*open_cuda(), 3), (Runs{{3, 1}}));
  const testing::TemporaryFolder own;
  const Variable fresh("AMPHORA_CACHE", own.path().string());
  const Machine ampere("capability=8.0");
  const Runs runs = runs_of_fastest(*open_cuda(), 3);
  EXPECT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs.count(3), 0u);
}

// Without TF32 the flag is no reason to leave cuBLASLt, nor is it with operands that are not f32.
TEST_F(CudaPlans, ADeviceWithoutTf32MultipliesF32Whole) {
  const auto path_of = [&](CudaDevice& device, DType type) {
    const BufferPtr x = buffer_of(device, std::vector<std::byte>(16 * 16 * size_of(type)));
    const MatmulParams params{16, 16, 16, 1, 16, 16, 16, 0, 0, 0, 1.0f, 0.0f};
    KernelCall call(KernelId::matmul, {.types = {type, type, type, type}, .flags = kMatmulTf32}, params);
    const BufferPtr c = device.allocate(x->bytes(), MemoryKind::activations);
    call.with(all_of(x)).with(all_of(x)).with(all_of(c));
    device.reset_counters();
    device.set_profiling(true);
    device.launch(call);
    device.set_profiling(false);
    return device.counters().paths[static_cast<std::size_t>(KernelId::matmul)];
  };
  using Paths = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(path_of(*open_cuda(), DType::f32), (Paths{{"cublaslt", 1}}));
  EXPECT_EQ(path_of(*open_cuda(), DType::f16), (Paths{{"cublaslt", 1}}));
  const Machine turing("capability=7.5");
  EXPECT_EQ(path_of(*open_cuda(), DType::f32), (Paths{{"cublaslt", 1}}));
}

TEST_F(CudaPlans, AFileOfAnotherDeviceUnderThisNameIsAsGoodAsNone) {
  run(*open_cuda(), {});
  const std::string text = kept_text();
  ASSERT_NE(text.find('\n'), std::string::npos);
  EXPECT_EQ(heuristics_with(text), 0u);  // the test itself: unchanged, it is trusted
  EXPECT_GT(heuristics_with("another device" + text.substr(text.find('\n'))), 0u);
}

TEST_F(CudaPlans, AnAlgorithmThatTheLibraryRefusesIsTunedAnew) {
  run(*open_cuda(), {});
  const std::string text = kept_text();
  const std::size_t words = text.find(" us ");
  ASSERT_NE(words, std::string::npos);
  EXPECT_GT(heuristics_with(text.substr(0, words) + " us 1 2 3 4 5 6 7 8\n"), 0u);
  EXPECT_EQ(heuristics_with(kept_text()), 0u);  // and what was found then is kept
}

TEST_F(CudaPlans, ALineThatIsDamagedLeavesTheOthers) {
  run(*open_cuda(), {.m = 10});
  run(*open_cuda(), {});
  EXPECT_EQ(heuristics_with(kept_text() + "half a line"), 0u);
}

}  // namespace
}  // namespace amphora::cuda
