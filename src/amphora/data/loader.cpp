#include "amphora/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/core/rng.h"
#include "amphora/device/device.h"

namespace amphora::data {

namespace {

// Far from the streams that a RandomSource of the same seed hands out.
constexpr std::uint64_t kShuffleStream = std::uint64_t{1} << 63U;
constexpr std::int64_t kSlots = 4;

}  // namespace

// Device memory for batches, used again as soon as nobody holds the batch: two pieces take turns in most loops, so that
// a recorded step knows its inputs by their memory.
class Loader::Memory {
 public:
  explicit Memory(Device& device) : device_(device) {}

  template <class T>
  Tensor upload(const Shape& shape, const std::vector<T>& values, DType dtype) {
    const auto bytes = std::as_bytes(std::span(values));
    const BufferPtr buffer = take(bytes.size());
    device_.upload(*buffer, 0, bytes);
    return {buffer, 0, shape, contiguous_strides(shape), dtype};
  }

 private:
  BufferPtr take(std::size_t bytes) {
    const auto is_free = [bytes](const BufferPtr& piece) { return piece.use_count() == 1 && piece->bytes() == bytes; };
    const auto found = std::find_if(pieces_.begin(), pieces_.end(), is_free);
    if (found != pieces_.end()) return *found;
    // Who keeps all batches keeps their memory, too.
    constexpr std::size_t kMaxPieces = 8;
    if (pieces_.size() >= kMaxPieces) {
      std::erase_if(pieces_, [](const BufferPtr& piece) { return piece.use_count() > 1; });
    }
    return pieces_.emplace_back(device_.allocate(bytes, MemoryKind::inputs));
  }

  Device& device_;
  std::vector<BufferPtr> pieces_;
};

// A ring of batches in host memory, which the thread fills and the consumer uploads from.
class Epoch::Prefetch {
 public:
  Prefetch(const Loader& loader, std::int64_t epoch) : loader_(loader), thread_([this, epoch] { produce(epoch); }) {}
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // The next batch on the device; undefined tensors past the last one.
  Batch next() {
    if (taken_ == loader_.batch_count()) return {};
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return made_ > taken_ || error_ != nullptr; });
      if (made_ == taken_) std::rethrow_exception(error_);
    }
    const Slot& slot = slot_of(taken_);
    const auto count = static_cast<std::int64_t>(slot.labels.size());
    const Shape& image = loader_.set_.image_shape;
    std::vector<std::int64_t> shape{count};
    if (loader_.options_.flatten) {
      shape.push_back(image.count());
    } else {
      for (int axis = 0; axis < image.rank(); ++axis) shape.push_back(image[axis]);
    }
    Batch batch{loader_.memory_->upload(Shape(shape), slot.images, DType::f32),
                loader_.memory_->upload({count}, slot.labels, DType::i32)};
    {
      const std::lock_guard lock(mutex_);
      ++taken_;
    }
    changed_.notify_all();
    return batch;
  }

 private:
  struct Slot {
    std::vector<float> images;
    std::vector<std::int32_t> labels;
  };
  Slot& slot_of(std::int64_t batch) { return slots_[static_cast<std::size_t>(batch % kSlots)]; }

  void produce(std::int64_t epoch) {
    try {
      const std::vector<std::uint32_t> order = loader_.order(epoch);
      require(order.size() >= static_cast<std::size_t>(loader_.count()),
              "the image set has {} images now, but had {} when its loader was made", order.size(), loader_.count());
      for (std::int64_t batch = 0; batch < loader_.batch_count(); ++batch) {
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [&] { return batch - taken_ < kSlots || stopped_; });
          if (stopped_) return;
        }
        const std::int64_t start = batch * loader_.options_.batch_size;
        const std::int64_t end = std::min(start + loader_.options_.batch_size, loader_.count());
        fill(slot_of(batch),
             std::span(order).subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
        {
          const std::lock_guard lock(mutex_);
          made_ = batch + 1;
        }
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      changed_.notify_all();
    }
  }

  void fill(Slot& slot, std::span<const std::uint32_t> indices) const {
    const ImageSet& set = loader_.set_;
    const auto size = static_cast<std::size_t>(set.image_shape.count());
    slot.images.resize(indices.size() * size);
    slot.labels.resize(indices.size());
    float* image = slot.images.data();
    for (std::size_t i = 0; i < indices.size(); ++i, image += size) {
      const auto pixels = std::span(set.pixels).subspan(indices[i] * size, size);
      std::transform(pixels.begin(), pixels.end(), image,
                     [this](std::uint8_t pixel) { return loader_.normalized_[pixel]; });
      slot.labels[i] = set.labels[indices[i]];
    }
  }

  const Loader& loader_;
  std::array<Slot, kSlots> slots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t made_ = 0;
  std::int64_t taken_ = 0;
  bool stopped_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses all of the above
};

Epoch::Epoch(std::unique_ptr<Prefetch> prefetch) : prefetch_(std::move(prefetch)) {}
Epoch::Epoch(Epoch&&) noexcept = default;
Epoch& Epoch::operator=(Epoch&&) noexcept = default;
Epoch::~Epoch() = default;

Batch Epoch::next() { return prefetch_->next(); }

Loader::Loader(Device& device, const ImageSet& set, const LoaderOptions& options)
    : memory_(std::make_shared<Memory>(device)), set_(set), options_(options), count_(set.count()), normalized_() {
  require(options.batch_size >= 1, "the loader's batch size is {}; it must be at least 1", options.batch_size);
  require(set.pixels.size() == static_cast<std::size_t>(set.count() * set.image_shape.count()),
          "an image set of {} labels and images of shape {} has {} pixels", set.count(), set.image_shape.str(),
          set.pixels.size());
  require(set.count() <= UINT32_MAX, "an image set of {} images; the loader counts to {}", set.count(), UINT32_MAX);
  if (options.drop_last) count_ -= count_ % options.batch_size;
  require(count_ > 0, "{} images make no batch of {}; take a smaller batch size", set.count(), options.batch_size);
  normalization_ = options.normalization ? *options.normalization : normalization_of(set);
  for (int pixel = 0; pixel < 256; ++pixel) {
    const float value = static_cast<float>(pixel) / 255.0f;
    normalized_[static_cast<std::size_t>(pixel)] = (value - normalization_.mean) / normalization_.deviation;
  }
}

Epoch Loader::epoch(std::int64_t number) const { return Epoch(std::make_unique<Epoch::Prefetch>(*this, number)); }

std::vector<std::uint32_t> Loader::order(std::int64_t epoch) const {
  std::vector<std::uint32_t> order(set_.labels.size());
  std::iota(order.begin(), order.end(), 0U);
  if (!options_.shuffle) return order;
  // Fisher and Yates, as in Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P.
  const RandomStream stream{options_.seed, kShuffleStream + static_cast<std::uint64_t>(epoch)};
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random_below(stream, left, left)]);
  }
  return order;
}

}  // namespace amphora::data
