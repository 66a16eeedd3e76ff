#include "amphora/data/idx.h"

#include <string>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "amphora/data/images.h"
#include "support/idx_files.h"

namespace amphora::data {
namespace {

using testing::Bytes;
using testing::gzipped;
using testing::idx_bytes;
using testing::TemporaryFolder;
using testing::write_bytes;

class IdxFile : public ::testing::Test {
 protected:
  // Two images of 3 x 4.
  static Bytes values() {
    Bytes values;
    for (std::uint8_t i = 0; i < 24; ++i) values.push_back(i);
    return values;
  }
  static Bytes good() { return idx_bytes({2, 3, 4}, values()); }

  // The message of the error that reading these bytes gives; empty if there is none.
  std::string refusal(const Bytes& bytes, int rank = 3) {
    write_bytes(path_, bytes);
    return refusal_of_file(rank);
  }

  std::string refusal_of_file(int rank = 3) const {
    try {
      read_idx(path_, rank);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path_.string()), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      return error.what();
    }
    return {};
  }

  static Bytes first(const Bytes& bytes, std::size_t count) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "images";
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(IdxFile, IsReadPlainAndGzipped) {
  for (const Bytes& bytes : {good(), gzipped(good())}) {
    write_bytes(path_, bytes);
    const Idx idx = read_idx(path_, 3);
    EXPECT_EQ(idx.sizes, (std::vector<std::int64_t>{2, 3, 4}));
    ASSERT_EQ(idx.values.size(), 24u);
    EXPECT_EQ(idx.values[23], 23);
  }
}

TEST_F(IdxFile, ThatIsMissingIsNamed) { EXPECT_HAS(refusal_of_file(), "No such file"); }

TEST_F(IdxFile, ThatIsAFolderIsNamed) {
  std::filesystem::create_directory(path_);
  EXPECT_HAS(refusal_of_file(), "is a folder");
}

TEST_F(IdxFile, ThatIsEmptyIsNamed) { EXPECT_HAS(refusal({}), "is empty"); }

TEST_F(IdxFile, TruncatedAnywhereIsRefused) {
  for (std::size_t count = 1; count < good().size(); ++count) {
    const std::string message = refusal(first(good(), count));
    EXPECT_HAS(message, count < 4 ? "not an IDX file" : "truncated");
  }
}

TEST_F(IdxFile, GzippedAndTruncatedAnywhereIsRefused) {
  const Bytes bytes = gzipped(good());
  for (std::size_t count = 0; count < bytes.size(); ++count) {
    EXPECT_NE(refusal(first(bytes, count)), "") << count << " of " << bytes.size() << " bytes";
  }
}

TEST_F(IdxFile, GzippedAndDamagedNeverGivesOtherValues) {
  // Any bit behind gzip's own header: the compressed data, its checksum, its length. A few bits only fill a byte.
  const Bytes bytes = gzipped(good());
  int harmless = 0;
  for (std::size_t bit = 80; bit < 8 * bytes.size(); ++bit) {
    Bytes damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    if (refusal(damaged).empty()) {
      EXPECT_EQ(read_idx(path_, 3).values, values()) << "bit " << bit % 8 << " of byte " << bit / 8;
      ++harmless;
    }
  }
  EXPECT_LT(harmless, 8);
}

TEST_F(IdxFile, WithBytesTooManyIsRefused) {
  Bytes longer = good();
  longer.push_back(0);
  EXPECT_HAS(refusal(longer), "too long");
  EXPECT_HAS(refusal(gzipped(longer)), "too long");
}

TEST_F(IdxFile, OfAnotherFormatIsRefused) {
  EXPECT_HAS(refusal({0x89, 'P', 'N', 'G', 13, 10, 26, 10}), "not an IDX file: it starts with 89 50 4e 47");
  EXPECT_HAS(refusal(gzipped({'t', 'e', 'x', 't', '!'})), "not an IDX file");
  Bytes wrong_type = good();
  wrong_type[2] = 0x77;
  EXPECT_HAS(refusal(wrong_type), "not an IDX file");
}

TEST_F(IdxFile, OfAnotherElementTypeIsRefused) {
  EXPECT_HAS(refusal(idx_bytes({1, 1, 1}, {0, 0, 0, 0}, 0x0D)), "elements of type float");
}

TEST_F(IdxFile, WithAnotherNumberOfAxesIsRefused) { EXPECT_HAS(refusal(good(), 1), "has 3 axes where 1 are expected"); }

TEST_F(IdxFile, WithAbsurdSizesIsRefusedBeforeMemoryIsAsked) {
  // 2^96 and 2^32 elements in a file of 16 bytes.
  EXPECT_HAS(refusal(idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {})), "absurd");
  EXPECT_HAS(refusal(idx_bytes({0x10000, 0x100, 0x100}, {})), "truncated");
  EXPECT_HAS(refusal(gzipped(idx_bytes({0x10000, 0x100, 0x100}, {}))), "truncated");
  EXPECT_HAS(refusal(gzipped(idx_bytes({0xFFFFFFFF, 0xFFFFFFFF, 0}, {}))), "absurd");
}

class DataSet : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_data_set(folder_.path(), train_, test_); }

  std::string refusal(const std::string& advice = "", int classes = 10) const {
    try {
      load_mnist(folder_.path(), classes, advice);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  TemporaryFolder folder_;
  ImageSet train_ = synthetic_images(30, 1);
  ImageSet test_ = synthetic_images(7, 2);
};

TEST_F(DataSet, IsReadBack) {
  const Split split = load_mnist(folder_.path());
  EXPECT_EQ(split.train.image_shape, (Shape{28, 28}));
  EXPECT_EQ(split.train.pixels, train_.pixels);
  EXPECT_EQ(split.train.labels, train_.labels);
  EXPECT_EQ(split.test.labels, test_.labels);
}

TEST_F(DataSet, PrefersPlainFilesAndTakesGzippedOnes) {
  const auto path = folder_ / "t10k-labels-idx1-ubyte";
  write_bytes(folder_ / "t10k-labels-idx1-ubyte.gz", gzipped(testing::read_bytes(path)));
  std::filesystem::remove(path);
  EXPECT_EQ(load_mnist(folder_.path()).test.labels, test_.labels);
}

TEST_F(DataSet, WithAFileMissingIsRefused) {
  std::filesystem::remove(folder_ / "train-labels-idx1-ubyte");
  EXPECT_HAS(refusal(), "there is no train-labels-idx1-ubyte[.gz] in " + folder_.path().string());
  EXPECT_HAS(refusal("ask the librarian"), "; ask the librarian");
}

TEST_F(DataSet, WithOtherNumbersOfImagesAndLabelsIsRefused) {
  write_bytes(folder_ / "train-labels-idx1-ubyte", idx_bytes({29}, Bytes(29)));
  EXPECT_HAS(refusal(), "30 images");
  EXPECT_HAS(refusal(), "29 labels");
}

TEST_F(DataSet, WithALabelOutOfRangeIsRefused) {
  Bytes labels(30);
  labels[17] = 10;
  write_bytes(folder_ / "train-labels-idx1-ubyte", idx_bytes({30}, labels));
  EXPECT_HAS(refusal(), "label 10 at index 17");
  EXPECT_EQ(refusal("", 11), "");
}

TEST_F(DataSet, WithoutImagesIsRefused) {
  write_bytes(folder_ / "t10k-images-idx3-ubyte", idx_bytes({0, 28, 28}, {}));
  write_bytes(folder_ / "t10k-labels-idx1-ubyte", idx_bytes({0}, {}));
  EXPECT_HAS(refusal(), "holds no pixels");
}

TEST_F(DataSet, WithTestImagesOfAnotherShapeIsRefused) {
  write_bytes(folder_ / "t10k-images-idx3-ubyte", idx_bytes({7, 1, 1}, Bytes(7)));
  EXPECT_HAS(refusal(), "[28, 28]");
  EXPECT_HAS(refusal(), "[1, 1]");
}

TEST(SyntheticImages, DependOnTheSeed) {
  EXPECT_EQ(synthetic_images(5, 3).pixels, synthetic_images(5, 3).pixels);
  EXPECT_NE(synthetic_images(5, 3).pixels, synthetic_images(5, 4).pixels);
  EXPECT_THROW(synthetic_images(0, 1), Error);
}

TEST(NormalizationOfASet, IsMeanAndDeviation) {
  const ImageSet set{.image_shape = {1, 2}, .pixels = {0, 255, 255, 0}, .labels = {0, 1}};
  EXPECT_FLOAT_EQ(normalization_of(set).mean, 0.5f);
  EXPECT_FLOAT_EQ(normalization_of(set).deviation, 0.5f);
  const ImageSet flat{.image_shape = {1, 2}, .pixels = {51, 51}, .labels = {0}};
  EXPECT_FLOAT_EQ(normalization_of(flat).mean, 0.2f);
  EXPECT_FLOAT_EQ(normalization_of(flat).deviation, 1.0f);
}

}  // namespace
}  // namespace amphora::data
