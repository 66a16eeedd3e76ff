// Files that spare work at the next start: a wrong one costs time, never a result.
#include <filesystem>

#include "amphora/device/disk_cache.h"
#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

namespace fs = std::filesystem;
using ::amphora::testing::Bytes;
using ::amphora::testing::read_bytes;
using ::amphora::testing::TemporaryFolder;
using ::amphora::testing::write_bytes;

std::vector<std::byte> content(std::size_t count) { return std::vector<std::byte>(count, std::byte{7}); }

TEST(DiskCache, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string path = folder / "new" / "cache";
  EXPECT_FALSE(read_cache(path).has_value());
  EXPECT_TRUE(write_cache(path, content(1000)));
  EXPECT_EQ(read_cache(path), content(1000));
  EXPECT_TRUE(write_cache(path, {}));
  EXPECT_EQ(read_cache(path), content(0));
}

TEST(DiskCache, AFileThatIsCutOffOrDamagedIsAsGoodAsNone) {
  const TemporaryFolder folder;
  const std::string path = folder / "cache";
  ASSERT_TRUE(write_cache(path, content(100)));
  const Bytes good = read_bytes(path);
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    write_bytes(path, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(bytes)));
    EXPECT_FALSE(read_cache(path).has_value()) << bytes;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes damaged = good;
    damaged[i] ^= 0x10U;
    write_bytes(path, damaged);
    EXPECT_FALSE(read_cache(path).has_value()) << i;
  }
}

TEST(DiskCache, AFolderThatCannotBeMadeIsNoError) { EXPECT_FALSE(write_cache("/dev/null/cache", content(10))); }

// A device whose caches lie in a folder of their own.
class VulkanCaches : public VulkanTest {
 protected:
  fs::path only_file(const std::string& extension) const {
    fs::path found;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().extension() == extension) found = entry.path();
    }
    return found;
  }

  static void expect_works() {
    const auto device = open_vulkan();
    const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f, 2.0f});
    launch_affine(x, x, 2.0f, 1.0f);
    EXPECT_EQ(values_of<float>(*device, *x), (std::vector<float>{3.0f, 5.0f}));
  }

  TemporaryFolder folder_;
  Variable cache_{"AMPHORA_CACHE", folder_.path()};
};

TEST_F(VulkanCaches, PipelinesAndVerdictsAreKept) {
  expect_works();
  EXPECT_FALSE(only_file(".pipelines").empty());
  EXPECT_FALSE(only_file(".selftest").empty());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_NE(entry.path().extension(), ".tmp");
  }
}

TEST_F(VulkanCaches, DamagedFilesAreDiscarded) {
  expect_works();
  for (const char* extension : {".pipelines", ".selftest"}) {
    const fs::path path = only_file(extension);
    Bytes damaged = read_bytes(path);
    damaged[damaged.size() / 2] ^= 1U;
    write_bytes(path, damaged);
    expect_works();
    fs::resize_file(path, 10);
    expect_works();
  }
}

TEST_F(VulkanCaches, AVerdictThatIsOnRecordIsTakenAndShown) {
  const std::string name = "f16 cooperative matrix ";
  std::vector<MatrixShape> shapes;
  {
    const auto device = open_vulkan();
    shapes = device->capabilities().matrix_shapes;
  }
  if (shapes.empty()) GTEST_SKIP() << "this device has no cooperative matrices";
  const std::string path = only_file(".selftest");
  const auto bytes = read_cache(path);
  ASSERT_TRUE(bytes.has_value());
  std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const std::string key = fmt::format(R"("{}{}x{}x{}":"")", name, shapes[0].m, shapes[0].n, shapes[0].k);
  const std::size_t at = text.find(key);
  ASSERT_NE(at, std::string::npos) << text;
  text.insert(at + key.size() - 1, "element (0, 0) is wrong");
  ASSERT_TRUE(write_cache(path, std::as_bytes(std::span(text))));
  const auto device = open_vulkan();
  EXPECT_EQ(device->capabilities().matrix_shapes.size(), shapes.size() - 1);
  bool shown = false;
  for (const std::string& reason : device->capabilities().unused) {
    shown = shown || reason.find("element (0, 0) is wrong") != std::string::npos;
  }
  EXPECT_TRUE(shown);
}

}  // namespace
}  // namespace amphora::vulkan
