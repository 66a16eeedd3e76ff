#include "amphora/data/loader.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "amphora/device/registry.h"

namespace amphora::data {
namespace {

// Images of one pixel, whose value and label tell the index.
ImageSet numbered(int count) {
  ImageSet set{.image_shape = {1, 1}, .pixels = {}, .labels = {}};
  for (int i = 0; i < count; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(i));
    set.labels.push_back(i);
  }
  return set;
}

class LoaderTest : public ::testing::Test {
 protected:
  struct Pass {
    std::vector<std::int64_t> sizes;
    std::vector<float> labels;
    std::vector<float> pixels;
  };

  static Pass walk(const Loader& loader, std::int64_t epoch) {
    Pass pass;
    for (const Batch& batch : loader.epoch(epoch)) {
      pass.sizes.push_back(batch.labels.count());
      const std::vector<float> labels = batch.labels.to_vector();
      const std::vector<float> pixels = batch.images.to_vector();
      pass.labels.insert(pass.labels.end(), labels.begin(), labels.end());
      pass.pixels.insert(pass.pixels.end(), pixels.begin(), pixels.end());
    }
    return pass;
  }

  std::shared_ptr<Device> device_ = open_device("cpu", {.threads = 1});
  ImageSet set_ = numbered(103);
};

TEST_F(LoaderTest, GivesEachImageOnceAnEpoch) {
  const Loader loader(*device_, set_, {.batch_size = 10, .seed = 7});
  for (const std::int64_t epoch : {0, 1, 5}) {
    std::vector<float> labels = walk(loader, epoch).labels;
    std::sort(labels.begin(), labels.end());
    std::vector<float> all(103);
    std::iota(all.begin(), all.end(), 0.0f);
    EXPECT_EQ(labels, all);
  }
}

TEST_F(LoaderTest, GivesThePartialBatchLastOrNotAtAll) {
  const Loader loader(*device_, set_, {.batch_size = 10});
  EXPECT_EQ(loader.batch_count(), 11);
  const std::vector<std::int64_t> sizes = walk(loader, 0).sizes;
  ASSERT_EQ(sizes.size(), 11u);
  EXPECT_EQ(sizes.front(), 10);
  EXPECT_EQ(sizes.back(), 3);

  const Loader dropping(*device_, set_, {.batch_size = 10, .drop_last = true});
  EXPECT_EQ(dropping.batch_count(), 10);
  EXPECT_EQ(dropping.count(), 100);
  EXPECT_EQ(walk(dropping, 0).sizes, std::vector<std::int64_t>(10, 10));
}

TEST_F(LoaderTest, OrdersBySeedAndEpochAlone) {
  const Loader loader(*device_, set_, {.batch_size = 10, .seed = 7});
  const Loader same(*device_, set_, {.batch_size = 25, .seed = 7});
  const Loader other(*device_, set_, {.batch_size = 10, .seed = 8});
  EXPECT_EQ(walk(loader, 3).labels, walk(loader, 3).labels);
  EXPECT_EQ(walk(loader, 3).labels, walk(same, 3).labels);
  EXPECT_NE(walk(loader, 3).labels, walk(loader, 4).labels);
  EXPECT_NE(walk(loader, 3).labels, walk(other, 3).labels);
}

TEST_F(LoaderTest, KeepsTheOrderWithoutShuffling) {
  const Loader loader(*device_, set_, {.batch_size = 50, .shuffle = false});
  std::vector<float> all(103);
  std::iota(all.begin(), all.end(), 0.0f);
  EXPECT_EQ(walk(loader, 0).labels, all);
  EXPECT_EQ(walk(loader, 1).labels, all);
}

TEST_F(LoaderTest, NormalisesByTheSetOrAsTold) {
  const std::vector<float> pixels = walk(Loader(*device_, set_, {.batch_size = 10}), 0).pixels;
  const double mean = std::accumulate(pixels.begin(), pixels.end(), 0.0) / 103.0;
  double squares = 0.0;
  for (const float pixel : pixels) squares += double{pixel} * double{pixel};
  EXPECT_NEAR(mean, 0.0, 1e-5);
  EXPECT_NEAR(squares / 103.0, 1.0, 1e-4);

  const Loader told(*device_, set_, {.batch_size = 1, .shuffle = false, .normalization = Normalization{0.5f, 2.0f}});
  EXPECT_FLOAT_EQ(walk(told, 0).pixels[51], (51.0f / 255.0f - 0.5f) / 2.0f);
}

TEST_F(LoaderTest, GivesRowsOrImages) {
  const ImageSet images = synthetic_images(4, 1);
  const Loader rows(*device_, images, {.batch_size = 3});
  EXPECT_EQ(rows.epoch(0).next().images.shape(), (Shape{3, 784}));
  const Loader planes(*device_, images, {.batch_size = 3, .flatten = false});
  const Batch batch = planes.epoch(0).next();
  EXPECT_EQ(batch.images.shape(), (Shape{3, 28, 28}));
  EXPECT_EQ(batch.images.dtype(), DType::f32);
  EXPECT_EQ(batch.labels.dtype(), DType::i32);
  EXPECT_EQ(batch.images.buffer()->kind(), MemoryKind::inputs);
}

TEST_F(LoaderTest, UsesMemoryAgainThatNobodyHolds) {
  const Loader loader(*device_, set_, {.batch_size = 10});
  std::set<const Buffer*> buffers;
  for (int number = 0; number < 3; ++number) {
    Epoch epoch = loader.epoch(number);
    for (const Batch& batch : epoch) {
      if (batch.labels.count() == 10) buffers.insert(batch.images.buffer().get());
    }
  }
  EXPECT_LE(buffers.size(), 2u) << "two batches take turns";

  // Those that are held stay as they are.
  Epoch epoch = loader.epoch(0);
  std::vector<Batch> held;
  std::vector<std::vector<float>> values;
  for (int i = 0; i < 9; ++i) {
    held.push_back(epoch.next());
    values.push_back(held.back().images.to_vector());
  }
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i].images.to_vector(), values[i]) << i;
}

TEST_F(LoaderTest, PassesTheEndAndStopsAnywhere) {
  const Loader loader(*device_, set_, {.batch_size = 60});
  Epoch epoch = loader.epoch(0);
  EXPECT_TRUE(epoch.next().images.defined());
  EXPECT_TRUE(epoch.next().images.defined());
  EXPECT_FALSE(epoch.next().images.defined());
  EXPECT_FALSE(epoch.next().images.defined());
  const Loader small(*device_, set_, {.batch_size = 1});
  for (int i = 0; i < 20; ++i) small.epoch(i).next();  // ends with batches still prepared
}

TEST_F(LoaderTest, RethrowsWhatItsThreadThrew) {
  const Loader loader(*device_, set_, {.batch_size = 10});
  set_.labels.clear();  // behind the loader's back
  EXPECT_THROW(loader.epoch(0).next(), Error);
}

TEST_F(LoaderTest, RefusesBadSizes) {
  EXPECT_THROW(Loader(*device_, set_, {.batch_size = 0}), Error);
  EXPECT_THROW(Loader(*device_, set_, {.batch_size = -3}), Error);
  EXPECT_THROW(Loader(*device_, set_, {.batch_size = 104, .drop_last = true}), Error);
  const ImageSet empty{.image_shape = {1, 1}, .pixels = {}, .labels = {}};
  EXPECT_THROW(Loader(*device_, empty, {}), Error);
  set_.pixels.pop_back();
  EXPECT_THROW(Loader(*device_, set_, {}), Error);
}

}  // namespace
}  // namespace amphora::data
