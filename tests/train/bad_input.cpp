// Whatever is wrong ends with one line that says so, exit code 1 or 2, and no file left behind.
#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "amphora/device/registry.h"
#include "program.h"

namespace amphora {
namespace {

namespace fs = std::filesystem;
using testing::Bytes;
using testing::Finished;

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(data_);
    fs::create_directory(output_);
    testing::write_data_set(data_, data::synthetic_images(40, 1), data::synthetic_images(10, 2));
  }

  // Runs on the test's data, asking for a log and a summary, and checks all that every refusal has in common.
  void expect_refusal(const std::string& arguments, int code, const std::string& part, const std::string& before = "") {
    const std::string all = "--epochs 1 --backend cpu --threads 1 --data " + data_.string() + " --log " +
                            (output_ / "log").string() + " --summary " + (output_ / "summary").string() + " " +
                            arguments;
    check(testing::run_mlp(all, before), code, part);
    EXPECT_TRUE(fs::is_empty(output_)) << arguments << " left a file behind";
  }

  static void check(const Finished& finished, int code, const std::string& part) {
    EXPECT_EQ(finished.code, code) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    EXPECT_EQ(finished.err.rfind("mlp: error: ", 0), 0u) << finished.err;
    EXPECT_NE(finished.err.find(part), std::string::npos) << finished.err;
  }

  testing::TemporaryFolder folder_;
  fs::path data_ = folder_ / "data";
  fs::path output_ = folder_ / "output";
  fs::path images_ = data_ / "train-images-idx3-ubyte";
  fs::path labels_ = data_ / "train-labels-idx1-ubyte";
};

TEST_F(BadInput, OnTheCommandLineExitsWith2) {
  expect_refusal("--no-such-flag", 2, "--no-such-flag");
  expect_refusal("--batch-size 0", 2, "--batch-size: '0'");
  expect_refusal("--loss-scale 0", 2, "--loss-scale: '0'");
  expect_refusal("--loss-scale -1", 2, "--loss-scale: '-1'");
  expect_refusal("--loss-scale nan", 2, "--loss-scale: 'nan'");
  expect_refusal("--threads 0", 2, "--threads: '0'");
}

TEST_F(BadInput, ABackendThatIsNotThereIsRefusedWithAListOfThoseThatAre) {
  for (const std::string backend : {"vulkan", "cuda"}) {
    if (testing::run_mlp("--explain --backend " + backend).code == 0) continue;  // it is there
    const Finished finished = testing::run_mlp("--backend " + backend);
    check(finished, 1, "backend '" + backend + "' is not available: ");
    check(finished, 1, "Available: ");
    check(finished, 1, "cpu (");
  }
}

TEST_F(BadInput, AnUnknownBackendIsRefusedWithAListOfAll) {
  std::string names = "auto";
  for (const Backend& backend : backends()) names += ", " + std::string(backend.name);
  check(testing::run_mlp("--backend opencl"), 2, names);
}

TEST_F(BadInput, APrecisionThatTheBackendLacksIsRefusedWithAListOfThoseItHas) {
  expect_refusal("--precision tf32", 1, "choose one of f32, f16, bf16");
}

TEST_F(BadInput, AMissingFolderIsNamed) {
  check(testing::run_mlp("--data /no/such/folder"), 1, "no train-images-idx3-ubyte[.gz] in /no/such/folder");
}

TEST_F(BadInput, AMissingFileIsNamed) {
  fs::remove(labels_);
  expect_refusal("", 1, "train-labels-idx1-ubyte");
}

TEST_F(BadInput, ATruncatedFileIsNamed) {
  fs::resize_file(images_, 1000);
  expect_refusal("", 1, images_.string() + " is truncated");
}

TEST_F(BadInput, AFlippedBitIsNoticed) {
  Bytes bytes = testing::gzipped(testing::read_bytes(images_));
  bytes[bytes.size() / 2] ^= 1U;
  fs::remove(images_);
  testing::write_bytes(images_.string() + ".gz", bytes);
  expect_refusal("", 1, "is damaged");
}

TEST_F(BadInput, AFileOfAnotherFormatIsNamed) {
  testing::write_bytes(labels_, {'h', 'e', 'l', 'l', 'o'});
  expect_refusal("", 1, labels_.string() + " is not an IDX file");
}

TEST_F(BadInput, OtherNumbersOfImagesAndLabelsAreNoticed) {
  testing::write_bytes(labels_, testing::idx_bytes({39}, Bytes(39)));
  expect_refusal("", 1, "39 labels");
}

TEST_F(BadInput, ALabelOutOfRangeIsNoticed) {
  Bytes labels(40);
  labels[3] = 200;
  testing::write_bytes(labels_, testing::idx_bytes({40}, labels));
  expect_refusal("", 1, "label 200 at index 3");
}

TEST_F(BadInput, AnUnwritableFileIsNoticedBeforeTheDataIsRead) {
  // The data is missing too, so that the order shows.
  check(testing::run_mlp("--data /no/such/folder --log /no/such/log.jsonl"), 1, "/no/such/log.jsonl");
  check(testing::run_mlp("--data /no/such/folder --summary /no/such/summary.json"), 1, "/no/such/summary.json");
  check(testing::run_mlp("--data /no/such/folder --summary /proc/summary.json"), 1, "/proc/summary.json");
  expect_refusal("--log /no/such/log.jsonl", 1, "cannot write /no/such/log.jsonl");
}

TEST_F(BadInput, AFullDiskIsNoticed) { expect_refusal("--log /dev/full", 1, "cannot write /dev/full"); }

#if !defined(__SANITIZE_ADDRESS__)  // which needs more addresses than it would get
TEST_F(BadInput, OutOfMemoryIsAnError) {
  const Finished finished = testing::run_mlp("--bench --backend cpu --batch-size 400000", "ulimit -v 1500000;");
  check(finished, 1, "out of memory");
}
#endif

}  // namespace
}  // namespace amphora
