// Loader: batches of normalised images, prepared ahead by a thread of its own.
//
//   for (const data::Batch& batch : loader.epoch(0)) loss = cross_entropy(model(batch.images), batch.labels);
//
// The order depends on the seed and the epoch's number alone, and the arithmetic happens on the host: every backend
// gets the same bits.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "amphora/data/dataset.h"
#include "amphora/tensor/tensor.h"

namespace amphora::data {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  std::uint64_t seed = 0;
  bool shuffle = true;
  bool drop_last = false;  // leaves out a last batch that is not full
  bool flatten = true;     // images are [N, 784] rather than [N, 28, 28]
  // Give the training set's to the test set; empty: computed from the set itself.
  std::optional<Normalization> normalization = std::nullopt;
};

struct Batch {
  Tensor images;  // f32
  Tensor labels;  // i32 [N]
};

// For train::Step.
template <class Visit>
void each_tensor(const Batch& batch, Visit&& visit) {
  visit(batch.images);
  visit(batch.labels);
}
template <class Visit>
void each_tensor(Batch& batch, Visit&& visit) {
  visit(batch.images);
  visit(batch.labels);
}

class Loader;

// One pass over a loader's images: a range of batches, walked once.
class Epoch {
 public:
  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;
    explicit Iterator(Epoch& epoch) : epoch_(&epoch) {}
    const Batch& operator*() const { return epoch_->batch_; }
    const Batch* operator->() const { return &epoch_->batch_; }
    Iterator& operator++() {
      epoch_->batch_ = epoch_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !epoch_->batch_.images.defined(); }

   private:
    Epoch* epoch_;
  };

  Epoch(Epoch&&) noexcept;
  Epoch& operator=(Epoch&&) noexcept;
  ~Epoch();  // ends the thread, wherever it is

  // The next batch, copied to the device; undefined tensors past the last one. Its memory is used again when nobody
  // holds the batch any more. Rethrows what the thread threw.
  Batch next();

  Iterator begin() { return ++Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Loader;
  class Prefetch;
  explicit Epoch(std::unique_ptr<Prefetch> prefetch);

  std::unique_ptr<Prefetch> prefetch_;
  Batch batch_;  // the iterator's
};

class Loader {
 public:
  // `set` must outlive the loader. Throws Error for a batch size below 1 and for a set without a batch.
  Loader(Device& device, const ImageSet& set, const LoaderOptions& options = {});
  Loader(Device& device, const ImageSet&& set, const LoaderOptions& options = {}) = delete;

  std::int64_t count() const { return count_; }  // of images an epoch
  std::int64_t batch_count() const { return (count_ + options_.batch_size - 1) / options_.batch_size; }
  const Normalization& normalization() const { return normalization_; }

  // The loader must outlive the epoch.
  Epoch epoch(std::int64_t number = 0) const;

  // The images of an epoch in order, by index.
  std::vector<std::uint32_t> order(std::int64_t epoch) const;

 private:
  friend class Epoch;
  class Memory;
  std::shared_ptr<Memory> memory_;
  const ImageSet& set_;
  LoaderOptions options_;
  std::int64_t count_;
  Normalization normalization_;
  std::array<float, 256> normalized_;  // by pixel value
};

}  // namespace amphora::data
