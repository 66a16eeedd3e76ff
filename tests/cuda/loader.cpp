// The module: found, loaded, of the right build, or a reason why not.
#include "backends/cuda/loader.h"

#include <algorithm>
#include <fstream>

#include "amphora/core/error.h"
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

using CudaLoader = CudaTest;

std::string refusal_of(const std::string& path) {
  const Variable module("AMPHORA_CUDA_MODULE", path);
  const BackendStatus found = status();
  EXPECT_FALSE(found.available);
  return found.detail;
}

TEST_F(CudaLoader, TheModuleOpensADevice) {
  const Variable module("AMPHORA_CUDA_MODULE", AMPHORA_CUDA_EMULATED_MODULE);
  const BackendStatus found = status();
  ASSERT_TRUE(found.available) << found.detail;
  EXPECT_TRUE(found.emulated);
  const auto device = open_device("cuda");
  const BufferPtr x = buffer_of(*device, std::vector<float>{4.0f});
  launch_affine(x, x, 0.5f, 0.0f);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 2.0f);
  EXPECT_EQ(devices().front().name, found.detail);
}

// An exception of the module is the program's: it is caught by its type.
TEST_F(CudaLoader, ErrorsCrossFromTheModule) {
  const Variable module("AMPHORA_CUDA_MODULE", AMPHORA_CUDA_EMULATED_MODULE);
  EXPECT_THROW(open_device("cuda", {.device = "nothing"}), Error);
  const auto device = open_device("cuda");
  EXPECT_THROW(device->allocate(std::size_t{1} << 60, MemoryKind::inputs), OutOfMemory);
}

TEST_F(CudaLoader, TheModuleIsLookedForBesideTheProgram) {
  const std::filesystem::path libraries = std::filesystem::canonical(AMPHORA_CUDA_EMULATED_MODULE).parent_path();
  const std::vector<std::string> paths = module_paths();
  EXPECT_EQ(paths.front(), (libraries / "libamphora_cuda.so").string());
}

TEST_F(CudaLoader, AProgramOutsideOfTheBuildFindsTheModuleWhereItIsInstalled) {
  const std::vector<std::string> paths = module_paths();
  EXPECT_NE(std::ranges::find(paths, AMPHORA_INSTALLED_LIBRARIES "/libamphora_cuda.so"), paths.end());
}

TEST_F(CudaLoader, AModuleThatIsMissingIsSaid) {
  const std::string reason = refusal_of("/no/such/module.so");
  EXPECT_EQ(reason, "no module at AMPHORA_CUDA_MODULE=/no/such/module.so");
  const Variable module("AMPHORA_CUDA_MODULE", "/no/such/module.so");
  EXPECT_NE(message_of([] { open_device("cuda"); }).find(reason), std::string::npos);
}

TEST_F(CudaLoader, AFileThatIsNoLibraryIsSaid) {
  const std::string path = (folder / "libamphora_cuda.so").string();
  std::ofstream(path) << "not a library";
  const std::string reason = refusal_of(path);
  EXPECT_NE(reason.find("cannot be loaded"), std::string::npos) << reason;
  EXPECT_NE(reason.find(path), std::string::npos) << reason;
}

TEST_F(CudaLoader, ALibraryThatIsNoModuleIsSaid) {
  const std::string reason = refusal_of("libz.so.1");
  EXPECT_NE(reason.find("no module at"), std::string::npos) << reason;
  const std::string other = message_of([] { load_module(AMPHORA_OTHER_LIBRARY); });
  EXPECT_NE(other.find("is no CUDA module of amphora: it has no amphora_cuda_version"), std::string::npos) << other;
}

TEST_F(CudaLoader, AModuleOfAnotherBuildIsRefusedWithBothVersions) {
  const std::string reason = refusal_of(AMPHORA_STALE_MODULE);
  EXPECT_NE(reason.find("is of another build: it is 0.0.0-stale, the program is "), std::string::npos) << reason;
  EXPECT_NE(reason.find("./run build"), std::string::npos) << reason;
}

TEST_F(CudaLoader, AMachineWithoutADriverSaysSo) {
  const Variable module("AMPHORA_CUDA_MODULE", AMPHORA_CUDA_EMULATED_MODULE);
  const Machine machine("driver=0");
  const BackendStatus found = status();
  EXPECT_FALSE(found.available);
  EXPECT_EQ(found.detail.rfind("no NVIDIA driver", 0), 0u) << found.detail;
}

}  // namespace
}  // namespace amphora::cuda
