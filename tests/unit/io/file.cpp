#include "amphora/io/file.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "amphora/io/table.h"
#include "support/idx_files.h"

namespace amphora::io {
namespace {

namespace fs = std::filesystem;

class OutputFile : public ::testing::Test {
 protected:
  std::string text_of(const fs::path& path) const {
    const testing::Bytes bytes = testing::read_bytes(path);
    return {bytes.begin(), bytes.end()};
  }
  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator());
  }

  testing::TemporaryFolder folder_;
  fs::path path_ = folder_ / "out";
};

TEST_F(OutputFile, IsWrittenAsAWhole) {
  write_file(path_, "first");
  write_file(path_, "second");
  EXPECT_EQ(text_of(path_), "second");
  EXPECT_EQ(files(), 1);
}

TEST_F(OutputFile, IsWrittenThroughASymbolicLink) {
  const fs::path target = folder_ / "target";
  write_file(target, "old");
  fs::create_symlink(target, path_);
  write_file(path_, "new");
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_EQ(text_of(target), "new");
}

TEST_F(OutputFile, LeavesNothingBehindACheck) {
  check_writable(path_);
  EXPECT_EQ(files(), 0);
  write_file(path_, "kept");
  check_writable(path_);
  EXPECT_EQ(text_of(path_), "kept");
}

TEST_F(OutputFile, ThatCannotBeWrittenIsRefused) {
  for (const fs::path& path : {folder_ / "missing" / "out", folder_.path(), fs::path("/proc/amphora")}) {
    EXPECT_THROW(check_writable(path), Error) << path;
    EXPECT_THROW(write_file(path, "x"), Error) << path;
    EXPECT_THROW(LineFile{path}, Error) << path;
  }
  EXPECT_EQ(files(), 0);
}

TEST_F(OutputFile, MayBeADevice) {
  check_writable("/dev/null");
  write_file("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_THROW(write_file("/dev/full", "x"), Error);
  LineFile full("/dev/full");
  EXPECT_THROW(full.write("x"), Error);
}

TEST_F(OutputFile, GrowsLineByLine) {
  LineFile file(path_);
  file.write("one");
  EXPECT_EQ(text_of(path_), "one\n");
  file.write("two");
  EXPECT_EQ(text_of(path_), "one\ntwo\n");
}

TEST_F(OutputFile, IsReplacedByItsFirstLine) {
  write_file(path_, "old\n");
  {
    LineFile file(path_);
    EXPECT_EQ(text_of(path_), "old\n");
    file.write("new");
  }
  EXPECT_EQ(text_of(path_), "new\n");
}

TEST_F(OutputFile, WithoutALineIsRemovedIfItIsNew) {
  { const LineFile file(path_); }
  EXPECT_EQ(files(), 0);
  write_file(path_, "old");
  { const LineFile file(path_); }
  EXPECT_EQ(text_of(path_), "old");
}

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(table({{"a", "b"}, {"long", "1"}, {"x", "200"}}, "lr"), "a       b\nlong    1\nx     200\n");
  EXPECT_EQ(table({{"a", ""}, {"b", "c"}}, "ll"), "a\nb  c\n");
}

}  // namespace
}  // namespace amphora::io
