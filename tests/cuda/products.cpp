// Products: planned once, timed once, kept on disk; an epilogue in cuBLASLt only where that is faster.
#include <map>

#include "amphora/core/error.h"
#include "products_test.h"

namespace amphora::cuda {
namespace {

TEST_F(CudaProducts, AProblemIsPlannedOnce) {
  const auto device = open_cuda();
  run(*device, {});
  const auto before = product_counts();
  run(*device, {}, 0.5f);  // alpha is no part of a problem
  EXPECT_EQ(product_counts().heuristics, before.heuristics);
  EXPECT_EQ(product_counts().products, before.products + 1);
  run(*device, {.m = 65});
  EXPECT_GT(product_counts().heuristics, before.heuristics);
}

TEST_F(CudaProducts, TheFastestAlgorithmIsChosen) {
  for (const int fastest : {0, 1, 2}) {
    const testing::TemporaryFolder own;
    const Variable fresh("AMPHORA_CACHE", own.path().string());
    const auto device = open_cuda();
    std::map<int, int> runs;
    const ProductTime time([&](int algorithm, unsigned) {
      ++runs[algorithm];
      return algorithm == fastest ? 1e3 : 5e3;
    });
    run(*device, {});
    runs.clear();
    run(*device, {});
    EXPECT_EQ(runs, (std::map<int, int>{{fastest, 1}}));
  }
}

TEST_F(CudaProducts, AChoiceIsKeptForTheNextStart) {
  run(*open_cuda(), {});
  const auto before = product_counts();
  run(*open_cuda(), {});
  const auto after = product_counts();
  EXPECT_EQ(after.heuristics, before.heuristics);
  EXPECT_GT(after.checks, before.checks);
  EXPECT_EQ(after.products, before.products + 1);
}

TEST_F(CudaProducts, TheFileIsReadableAndOfThisDriverAndLibrary) {
  run(*open_cuda(), {.activation = Activation::gelu});
  const std::string path = file();
  EXPECT_NE(path.find("cuda-amphora-s-emulator-of-cuda-13000-"), std::string::npos) << path;
  const testing::Bytes bytes = testing::read_bytes(path);
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_NE(text.find("f16xf16t->f16:64x32x128:ld128,128,32:align256,256,256,256,256,256:bias-f16:gelu "),
            std::string::npos)
      << text;
}

TEST_F(CudaProducts, AnotherDriverTunesAnew) {
  run(*open_cuda(), {});
  const auto before = product_counts();
  const Machine newer("driver=13010");
  run(*open_cuda(), {});
  EXPECT_GT(product_counts().heuristics, before.heuristics);
}

TEST_F(CudaProducts, ADamagedFileIsAsGoodAsNone) {
  run(*open_cuda(), {});
  const std::string path = file();
  testing::Bytes bytes = testing::read_bytes(path);
  bytes.resize(bytes.size() / 2);
  testing::write_bytes(path, bytes);
  const auto before = product_counts();
  run(*open_cuda(), {});
  EXPECT_GT(product_counts().heuristics, before.heuristics);
}

TEST_F(CudaProducts, ChoicesOfOtherProcessesAreKept) {
  const auto one = open_cuda();
  const auto other = open_cuda();
  run(*one, {.m = 10});
  run(*other, {.m = 20});
  const auto before = product_counts();
  const auto third = open_cuda();
  run(*third, {.m = 10});
  run(*third, {.m = 20});
  EXPECT_EQ(product_counts().heuristics, before.heuristics);
}

TEST_F(CudaProducts, AFolderThatCannotBeWrittenIsNoError) {
  const Variable nowhere("AMPHORA_CACHE", "/dev/null/cache");
  EXPECT_NO_THROW(run(*open_cuda(), {}));
}

TEST_F(CudaProducts, AnEpilogueIsFusedOnlyWhereThatIsFaster) {
  constexpr unsigned kBare = CUBLASLT_EPILOGUE_DEFAULT;
  for (const bool fused_is_faster : {true, false}) {
    const testing::TemporaryFolder own;
    const Variable fresh("AMPHORA_CACHE", own.path().string());
    const auto device = open_cuda();
    const ProductTime time([=](int, unsigned epilogue) { return (epilogue == kBare) == fused_is_faster ? 9e6 : 1e3; });
    const std::vector<std::string> names = run(*device, {.activation = Activation::gelu});
    EXPECT_EQ(names, fused_is_faster ? std::vector<std::string>{"cublaslt_gelu_bias"}
                                     : (std::vector<std::string>{"cublaslt", "matmul_epilogue"}));
  }
}

TEST_F(CudaProducts, WhatCublasltHasNoEpilogueForIsFinishedByAKernel) {
  EXPECT_EQ(run(*open_cuda(), {.activation = Activation::silu}),
            (std::vector<std::string>{"cublaslt", "matmul_epilogue"}));
}

// GELU's derivative and the bias gradient: both in cuBLASLt where the result is f32, as the bias gradient is.
TEST_F(CudaProducts, ABiasGradientIsFusedWhereItHasTheResultsType) {
  const ProductTime time([](int, unsigned epilogue) { return epilogue == CUBLASLT_EPILOGUE_DEFAULT ? 9e6 : 1e3; });
  const auto device = open_cuda();
  for (const DType type : {DType::f32, DType::f16}) {
    constexpr int kSize = 64;
    const auto gelu = static_cast<std::uint8_t>(Activation::gelu);
    const Spec spec{
        .types = {type, type, type, DType::f32}, .function = gelu, .flags = kMatmulDerivative | kMatmulBiasGradient};
    const MatmulParams params{kSize, kSize, kSize, 1, kSize, kSize, kSize, 0, 0, 0, 1.0f, 0.0f};
    const BufferPtr x = buffer_of(*device, std::vector<std::byte>(kSize * kSize * size_of(type)));
    const BufferPtr c = device->allocate(x->bytes(), MemoryKind::activations);
    const BufferPtr sums = device->allocate(kSize * sizeof(float), MemoryKind::gradients);
    KernelCall call(KernelId::matmul, spec, params);
    call.with(all_of(x)).with(all_of(x)).with(all_of(c)).with({}).with(all_of(x)).with(all_of(sums));
    device->reset_counters();
    device->set_profiling(true);
    device->launch(call);
    device->set_profiling(false);
    const auto& paths = device->counters().paths[static_cast<std::size_t>(KernelId::matmul)];
    using Paths = std::map<std::string, std::uint64_t>;
    EXPECT_EQ(paths, type == DType::f32 ? (Paths{{"cublaslt_dgelu_bgrad", 1}})
                                        : (Paths{{"cublaslt_dgelu", 1}, {"column_sums", 1}}));
    EXPECT_EQ(values_of<float>(*device, *sums), std::vector<float>(kSize, 0.0f));
  }
}

TEST_F(CudaProducts, WithoutTuningTheFirstProposalRuns) {
  const Variable off("AMPHORA_CUDA_TUNE", "0");
  const auto device = open_cuda();
  const auto before = product_counts();
  std::vector<int> algorithms;
  const ProductTime time([&](int algorithm, unsigned) {
    algorithms.push_back(algorithm);
    return 1e3;
  });
  run(*device, {});
  EXPECT_EQ(product_counts().heuristics, before.heuristics + 1);
  EXPECT_EQ(algorithms, std::vector<int>{0});
  EXPECT_EQ(file(), "");
}

TEST_F(CudaProducts, TimingWritesNoResultTwice) {
  const auto device = open_cuda();
  run(*device, {.type = DType::f32, .beta = 1.0f});
  const std::vector<float> first = values_of<float>(*device, *result);
  run(*device, {.type = DType::f32, .beta = 1.0f});
  EXPECT_EQ(values_of<float>(*device, *result), first);
}

// A device so full that there is no room to time with: the product runs all the same, and nothing is kept.
TEST_F(CudaProducts, WithoutRoomForTimingTheFirstProposalRuns) {
  const Machine machine("memory=128M");
  const auto device = open_cuda();
  std::vector<BufferPtr> held;
  run(*device, {.m = 8, .n = 8, .k = 8});
  const auto kept = testing::read_bytes(file()).size();
  constexpr int kWide = 2048;
  const ProductShape large{.m = kWide, .n = kWide, .k = 8};
  // x, w and c of the product below take 8.1 MiB; what is left beyond them is less than another c.
  const std::size_t left = 12 * kMebibyte;
  while (true) {
    try {
      held.push_back(device->allocate(kMebibyte, MemoryKind::activations));
    } catch (const OutOfMemory&) {
      break;
    }
  }
  for (std::size_t i = 0; i < left / kMebibyte; ++i) held.erase(held.begin());
  EXPECT_EQ(run(*device, large), std::vector<std::string>{"cublaslt"});
  EXPECT_EQ(testing::read_bytes(file()).size(), kept);
}

TEST_F(CudaProducts, TypesThatCublasltDoesNotMultiplyRunOnMultiplyAdds) {
  const auto device = open_cuda();
  const Spec mixed{.types = {DType::f16, DType::f32, DType::f32, DType::f32}};
  const Spec bf16{.types = {DType::bf16, DType::bf16, DType::f32, DType::f32}};
  EXPECT_EQ(device->supports(KernelId::matmul, mixed).path, "fma");
  EXPECT_EQ(device->supports(KernelId::matmul, bf16).path, "cuBLASLt");
  const Machine turing("capability=7.5");
  EXPECT_EQ(open_cuda()->supports(KernelId::matmul, bf16).path, "fma");
  EXPECT_EQ(run(*open_cuda(), {.type = DType::bf16}), std::vector<std::string>{"matmul_fma"});
  EXPECT_EQ(run(*open_cuda(), {.type = DType::f16}), std::vector<std::string>{"cublaslt"});
}

}  // namespace
}  // namespace amphora::cuda
