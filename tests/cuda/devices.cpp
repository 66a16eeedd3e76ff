// Which device is taken, and what is said where none can be.
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

std::string reason_on(const std::string& machine) {
  const Machine here(machine);
  const BackendStatus status = status_of_devices();
  EXPECT_FALSE(status.available) << machine;
  return status.detail;
}

TEST_F(CudaTest, AnEmulatedDeviceIsNoneForAuto) {
  const BackendStatus status = status_of_devices();
  EXPECT_TRUE(status.available) << status.detail;
  EXPECT_TRUE(status.emulated);
  EXPECT_EQ(status.detail, kEmulatorName);
}

TEST_F(CudaTest, NoDriverIsSaid) { EXPECT_NE(reason_on("driver=0").find("no NVIDIA driver"), std::string::npos); }

TEST_F(CudaTest, AnOldDriverIsSaidWithBothVersions) {
  const std::string reason = reason_on("driver=12040");
  EXPECT_NE(reason.find("too old: it runs CUDA 12.4 at most, this build needs CUDA 13."), std::string::npos) << reason;
}

TEST_F(CudaTest, NoDeviceIsSaid) {
  const std::string reason = reason_on("devices=0");
  EXPECT_NE(reason.find("finds no device"), std::string::npos) << reason;
}

TEST_F(CudaTest, AnArchitectureThatIsNotBuiltIsSaidWithWhatIs) {
  const std::string reason = reason_on("capability=12.0 image=none");
  EXPECT_NE(reason.find("sm_120, is not built: this build has 80-real"), std::string::npos) << reason;
  EXPECT_NE(reason.find("-DAMPHORA_CUDA_ARCHITECTURES"), std::string::npos) << reason;
}

TEST_F(CudaTest, ADeviceBeforeTuringIsRefused) {
  const std::string reason = reason_on("capability=7.0");
  EXPECT_NE(reason.find("compute capability is 7.0; 7.5 (Turing) or newer"), std::string::npos) << reason;
}

TEST_F(CudaTest, TuringTrainsInF16Alone) {
  const Machine turing("capability=7.5");
  EXPECT_EQ(open_cuda()->info().precisions, (std::vector{Precision::f32, Precision::f16}));
}

TEST_F(CudaTest, AmpereAndLaterTrainInEveryPrecision) {
  const Machine ampere("capability=8.0");
  EXPECT_EQ(open_cuda()->info().precisions,
            (std::vector{Precision::f32, Precision::tf32, Precision::f16, Precision::bf16}));
}

TEST_F(CudaTest, AWrongDeviceIsRefusedWithThoseThatThereAre) {
  for (const char* wish : {"no such card", "99", "-1", "0x"}) {
    const std::string message = message_of([&] { open_cuda({.device = wish}); });
    EXPECT_NE(message.find(fmt::format("no CUDA device is called '{}'", wish)), std::string::npos) << message;
    EXPECT_NE(message.find(fmt::format("0: {}", kEmulatorName)), std::string::npos) << message;
  }
}

TEST_F(CudaTest, ADeviceIsFoundByIndexAndByPartOfItsNameInAnyCase) {
  EXPECT_EQ(open_cuda({.device = "0"})->info().name, kEmulatorName);
  EXPECT_EQ(open_cuda({.device = "EMULATOR"})->info().name, kEmulatorName);
}

TEST_F(CudaTest, AReportNamesWhatTheDeviceOffers) {
  const std::vector<DeviceReport> reports = report_devices();
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].name, kEmulatorName);
  EXPECT_EQ(reports[0].reason_against, "");
  std::string facts;
  for (const auto& [name, value] : reports[0].facts) facts += fmt::format("{}: {}\n", name, value);
  for (const char* part : {"driver: runs CUDA up to 13.0", "architecture: sm_90", "Tensor Cores: f16 bf16 tf32"}) {
    EXPECT_NE(facts.find(part), std::string::npos) << facts;
  }
}

}  // namespace
}  // namespace amphora::cuda
