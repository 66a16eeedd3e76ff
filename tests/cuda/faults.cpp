// Whatever goes wrong gives one clear message, and no hang.
#include "amphora/core/error.h"
#include "backends/cuda/check.h"
#include "backends/cuda/environment.h"
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

TEST_F(CudaTest, TooMuchMemoryIsRefusedWithFiguresAndTheDeviceGoesOn) {
  const Machine machine("memory=256M used=64M");
  const auto device = open_cuda();
  const BufferPtr held = device->allocate(10 * kMebibyte, MemoryKind::masters);
  const std::string message = message_of([&] { device->allocate(1000 * kMebibyte, MemoryKind::activations); });
  for (const char* part : {"out of memory on cuda", "1000.0 MiB asked for activations", "10.0 MiB in use",
                           "of 256.0 MiB", "free on the device", "Use smaller batches"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
  }
  EXPECT_THROW(device->allocate(1000 * kMebibyte, MemoryKind::activations), OutOfMemory);
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  launch_affine(x, x, 2.0f, 0.0f);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 2.0f);
}

TEST(CudaCheck, SaysWhatWasAskedAndWhatToDo) {
  EXPECT_EQ(message_of([] { check(cudaSuccess, "x"); }), "");
  EXPECT_THROW(check(cudaErrorMemoryAllocation, "x"), OutOfMemory);
  const std::string fault = message_of([] { check(cudaErrorIllegalAddress, "waiting for the device"); });
  for (const char* part : {"a kernel failed on cuda, seen while waiting for the device", "cudaErrorIllegalAddress",
                           "start again", "AMPHORA_CUDA_SYNC=1", "compute-sanitizer"}) {
    EXPECT_NE(fault.find(part), std::string::npos) << part << " in " << fault;
  }
  const std::string image = message_of([] { check(cudaErrorNoKernelImageForDevice, "launching adam"); });
  EXPECT_NE(image.find("no kernels for this device's architecture"), std::string::npos) << image;
  const std::string other = message_of([] { check(cudaErrorInvalidValue, "copying"); });
  EXPECT_NE(other.find("cuda failed while copying: "), std::string::npos) << other;
  EXPECT_NE(other.find("cudaErrorInvalidValue"), std::string::npos) << other;
  EXPECT_EQ(message_of([] { check(CUBLAS_STATUS_SUCCESS, "x"); }), "");
  EXPECT_THROW(check(CUBLAS_STATUS_ALLOC_FAILED, "x"), OutOfMemory);
  const std::string blas = message_of([] { check(CUBLAS_STATUS_NOT_SUPPORTED, "multiplying"); });
  EXPECT_NE(blas.find("cuBLASLt failed while multiplying"), std::string::npos) << blas;
}

TEST(CudaEnvironment, TakesZeroOneAndNothingElse) {
  {
    const Variable off("AMPHORA_CUDA_TUNE", "0");
    const Variable on("AMPHORA_CUDA_SYNC", "1");
    EXPECT_FALSE(environment().tune);
    EXPECT_TRUE(environment().synchronous);
  }
  EXPECT_TRUE(environment().tune);
  EXPECT_FALSE(environment().synchronous);
  const Variable wrong("AMPHORA_CUDA_TUNE", "no");
  EXPECT_EQ(message_of([] { environment(); }), "AMPHORA_CUDA_TUNE is 'no'; it must be 0 or 1");
}

// A device that met a fault answers nothing but errors, so each of these runs in a process of its own.
using CudaDeathTest = CudaTest;

// Ends with 0 if the message of the second call has all parts.
template <class... Parts>
[[noreturn]] void exit_after_fault(bool synchronous, Parts... parts) {
  const Variable sync("AMPHORA_CUDA_SYNC", synchronous ? "1" : "0");
  const Machine machine("fault=2");
  const auto device = open_device_of({});
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  std::string message = message_of([&] {
    launch_affine(x, x, 2.0f, 0.0f);
    launch_affine(x, x, 2.0f, 0.0f);
    if (!synchronous) device->wait();
  });
  const bool named = (... && (message.find(parts) != std::string::npos));
  if (!named) std::fprintf(stderr, "%s\n", message.c_str());
  // What comes later fails, too, and ends.
  const bool fails_on = !message_of([&] { values_of<float>(*device, *x); }).empty();
  std::exit(named && fails_on ? 0 : 1);
}

TEST(CudaDeathTest, AFaultInAKernelIsSeenAtTheNextWait) {
  EXPECT_EXIT(exit_after_fault(false, "a kernel failed on cuda", "unary was launched last", "cudaErrorIllegalAddress"),
              ::testing::ExitedWithCode(0), "");
}

TEST(CudaDeathTest, AFaultInAKernelIsSeenWhereItHappensWhenAsked) {
  EXPECT_EXIT(exit_after_fault(true, "a kernel failed on cuda, seen while running unary"), ::testing::ExitedWithCode(0),
              "");
}

}  // namespace
}  // namespace amphora::cuda
