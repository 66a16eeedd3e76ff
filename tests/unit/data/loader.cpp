#include "amphora/data/loader.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "amphora/data/images.h"
#include "amphora/device/registry.h"
#include "support/cpu_test.h"

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

// Items of no image: two numbers and a position, from the item's index.
class Pairs : public Source {
 public:
  struct Batch {
    Tensor values;     // f32 [N, 2]
    Tensor positions;  // i32 [N]
    Tensor halves;     // f16 [N, 1]
    auto tensors() { return std::tie(values, positions, halves); }
  };
  explicit Pairs(std::int64_t count, std::int64_t fails_at = -1) : count_(count), fails_at_(fails_at) {}

  std::int64_t count() const override { return count_; }
  std::vector<Field> fields() const override { return {{DType::f32, {2}}, {DType::i32, {}}, {DType::f16, {1}}}; }
  void fill(std::span<const std::uint32_t> items, std::span<const Slot> slots) const override {
    const auto values = slots[0].as<float>();
    const auto positions = slots[1].as<std::int32_t>();
    const auto halves = slots[2].as<F16>();
    for (std::size_t i = 0; i < items.size(); ++i) {
      require(items[i] != fails_at_, "item {} is lost", items[i]);
      values[2 * i] = static_cast<float>(items[i]);
      values[2 * i + 1] = -static_cast<float>(items[i]);
      positions[i] = static_cast<std::int32_t>(items[i]);
      halves[i] = to_f16(0.5 * items[i]);
    }
  }

 private:
  std::int64_t count_;
  std::int64_t fails_at_;
};

class LoaderTest : public ::testing::Test {
 protected:
  struct Pass {
    std::vector<std::int64_t> sizes;
    std::vector<float> labels;
    std::vector<float> pixels;
  };

  static Pass walk(const Loader<ImageBatch>& loader, std::int64_t epoch) {
    Pass pass;
    for (const ImageBatch& batch : loader.epoch(epoch)) {
      pass.sizes.push_back(batch.labels.count());
      const std::vector<float> labels = batch.labels.to_vector();
      const std::vector<float> pixels = batch.images.to_vector();
      pass.labels.insert(pass.labels.end(), labels.begin(), labels.end());
      pass.pixels.insert(pass.pixels.end(), pixels.begin(), pixels.end());
    }
    return pass;
  }

  std::shared_ptr<Device> device_ = open_device("cpu", {.threads = 1});
  Images set_{numbered(103)};
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
  const Loader loader(*device_, set_, {.batch_size = 10});
  const std::vector<float> pixels = walk(loader, 0).pixels;
  const double mean = std::accumulate(pixels.begin(), pixels.end(), 0.0) / 103.0;
  double squares = 0.0;
  for (const float pixel : pixels) squares += double{pixel} * double{pixel};
  EXPECT_NEAR(mean, 0.0, 1e-5);
  EXPECT_NEAR(squares / 103.0, 1.0, 1e-4);

  const Images other(numbered(103), {.normalization = Normalization{0.5f, 2.0f}});
  const Loader told(*device_, other, {.batch_size = 1, .shuffle = false});
  EXPECT_FLOAT_EQ(walk(told, 0).pixels[51], (51.0f / 255.0f - 0.5f) / 2.0f);
}

TEST_F(LoaderTest, GivesRowsOrImages) {
  const Images flat(synthetic_images(4, 1));
  const Loader rows(*device_, flat, {.batch_size = 3});
  EXPECT_EQ(rows.epoch(0).next()->images.shape(), (Shape{3, 784}));
  const Images square(synthetic_images(4, 1), {.flatten = false});
  const Loader planes(*device_, square, {.batch_size = 3});
  const ImageBatch batch = *planes.epoch(0).next();
  EXPECT_EQ(batch.images.shape(), (Shape{3, 28, 28}));
  EXPECT_EQ(batch.images.dtype(), DType::f32);
  EXPECT_EQ(batch.labels.dtype(), DType::i32);
  EXPECT_EQ(batch.images.buffer()->kind(), MemoryKind::inputs);
}

TEST_F(LoaderTest, UsesMemoryAgainThatNobodyHolds) {
  const Loader loader(*device_, set_, {.batch_size = 10});
  std::set<const Buffer*> buffers;
  for (int number = 0; number < 3; ++number) {
    for (const ImageBatch& batch : loader.epoch(number)) {
      if (batch.labels.count() == 10) buffers.insert(batch.images.buffer().get());
    }
  }
  EXPECT_LE(buffers.size(), 2u) << "two batches take turns";

  // Those that are held stay as they are.
  auto epoch = loader.epoch(0);
  std::vector<ImageBatch> held;
  std::vector<std::vector<float>> values;
  for (int i = 0; i < 9; ++i) {
    held.push_back(*epoch.next());
    values.push_back(held.back().images.to_vector());
  }
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i].images.to_vector(), values[i]) << i;
}

TEST_F(LoaderTest, PassesTheEndAndStopsAnywhere) {
  const Loader loader(*device_, set_, {.batch_size = 60});
  auto epoch = loader.epoch(0);
  EXPECT_TRUE(epoch.next());
  EXPECT_TRUE(epoch.next());
  EXPECT_FALSE(epoch.next());
  EXPECT_FALSE(epoch.next());
  const Loader small(*device_, set_, {.batch_size = 1});
  for (int i = 0; i < 20; ++i) small.epoch(i).next();  // ends with batches still prepared
}

TEST_F(LoaderTest, RethrowsWhatItsThreadThrew) {
  const Pairs pairs(30, 12);
  Loader loader(*device_, pairs, {.batch_size = 10, .shuffle = false});
  loader.next();
  EXPECT_EQ(testing::message_of([&] { loader.next(); }), "item 12 is lost");
}

TEST_F(LoaderTest, GivesTensorsOfAnyTypeAndNumber) {
  const Pairs pairs(5);
  Loader loader(*device_, pairs, {.batch_size = 3, .shuffle = false});
  const Pairs::Batch batch = loader.next();
  EXPECT_EQ(batch.values.shape(), (Shape{3, 2}));
  EXPECT_EQ(batch.values.to_vector(), (std::vector<float>{0, 0, 1, -1, 2, -2}));
  EXPECT_EQ(batch.positions.dtype(), DType::i32);
  EXPECT_EQ(batch.halves.dtype(), DType::f16);
  EXPECT_EQ(batch.halves.shape(), (Shape{3, 1}));
  EXPECT_EQ(batch.halves.to_vector(), (std::vector<float>{0.0f, 0.5f, 1.0f}));
  EXPECT_EQ(loader.next().positions.to_vector(), (std::vector<float>{3, 4}));

  Loader<std::vector<Tensor>> lists(*device_, pairs, {.batch_size = 3, .shuffle = false});
  EXPECT_EQ(lists.next().at(1).to_vector(), (std::vector<float>{0, 1, 2}));
}

TEST_F(LoaderTest, RefusesABatchWithOtherTensorsThanTheSourceHas) {
  const Pairs pairs(5);
  const std::string message = testing::message_of([&] { Loader<ImageBatch>(*device_, pairs); });
  EXPECT_NE(message.find("2 tensors cannot hold the 3 fields"), std::string::npos) << message;
}

TEST_F(LoaderTest, RefusesElementsOfAnotherSizeThanTheFields) {
  std::vector<std::byte> bytes(8);
  EXPECT_THROW(Slot(DType::f16, bytes).as<float>(), Error);
  EXPECT_EQ(Slot(DType::f32, bytes).as<float>().size(), 2u);
}

TEST_F(LoaderTest, GoesFromEpochToEpoch) {
  Loader loader(*device_, set_, {.batch_size = 60, .seed = 7});
  std::vector<float> labels;
  for (int i = 0; i < 4; ++i) {
    const std::vector<float> batch = loader.next().labels.to_vector();
    labels.insert(labels.end(), batch.begin(), batch.end());
  }
  std::vector<float> expected = walk(loader, 0).labels;
  const std::vector<float> second = walk(loader, 1).labels;
  expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_EQ(labels, expected);
  EXPECT_EQ(loader.position().epoch, 2);
  EXPECT_EQ(loader.position().batch, 0);
}

// Keeps numbers by name, or gives them back.
class Numbers : public StateVisitor {
 public:
  explicit Numbers(bool restores) : restores_(restores) {}
  bool restores() const override { return restores_; }
  std::map<std::string, std::int64_t> kept;

 protected:
  void do_tensor(const std::string&, const Tensor&) override {}
  void do_number(const std::string&, double&) override {}
  void do_integer(const std::string& path, std::int64_t& value) override {
    if (restores_) {
      value = kept.at(path);
    } else {
      kept[path] = value;
    }
  }

 private:
  bool restores_;
};

TEST_F(LoaderTest, GoesOnWhereAnotherOneWas) {
  Loader first(*device_, set_, {.batch_size = 10, .seed = UINT64_MAX - 3});
  for (int i = 0; i < 15; ++i) first.next();
  Numbers writer(false);
  first.visit_state(writer);

  Loader second(*device_, set_, {.batch_size = 10, .seed = 1});
  second.next();
  Numbers reader(true);
  reader.kept = writer.kept;
  second.visit_state(reader);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(second.next().labels.to_vector(), first.next().labels.to_vector()) << i;
  }
  Loader larger(*device_, set_, {.batch_size = 100});
  EXPECT_NE(testing::message_of([&] { larger.visit_state(reader); }).find("batch 4 of epoch 1"), std::string::npos);
}

TEST_F(LoaderTest, RefusesBadSizes) {
  using ImageLoader = Loader<ImageBatch>;
  EXPECT_THROW(ImageLoader(*device_, set_, {.batch_size = 0}), Error);
  EXPECT_THROW(ImageLoader(*device_, set_, {.batch_size = -3}), Error);
  EXPECT_THROW(ImageLoader(*device_, set_, {.batch_size = 104, .drop_last = true}), Error);
  const Images empty({.image_shape = {1, 1}, .pixels = {}, .labels = {}}, {.normalization = Normalization{}});
  EXPECT_THROW(ImageLoader(*device_, empty), Error);
  ImageSet torn = numbered(3);
  torn.pixels.pop_back();
  EXPECT_THROW(Images{torn}, Error);
}

}  // namespace
}  // namespace amphora::data
