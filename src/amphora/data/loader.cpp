#include "amphora/data/loader.h"

#include <algorithm>
#include <array>
#include <bit>
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
constexpr std::int64_t kRing = 4;

Shape batch_shape(std::int64_t items, const Shape& item) {
  std::vector<std::int64_t> sizes{items};
  for (int axis = 0; axis < item.rank(); ++axis) sizes.push_back(item[axis]);
  return Shape(sizes);
}

}  // namespace

// Device memory for batches, used again as soon as nobody holds the batch: two pieces take turns in most loops, so that
// a recorded step knows its inputs by their memory.
class TensorLoader::Memory {
 public:
  explicit Memory(Device& device) : device_(device) {}

  Tensor upload(const Shape& shape, std::span<const std::byte> bytes, DType dtype) {
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
class TensorLoader::Prefetch {
 public:
  Prefetch(const TensorLoader& loader, const LoaderPosition& from)
      : loader_(loader), made_(from.batch), taken_(from.batch), thread_([this, from] { produce(from); }) {}
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

  std::optional<std::vector<Tensor>> next() {
    if (taken_ == loader_.batch_count()) return std::nullopt;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return made_ > taken_ || error_ != nullptr; });
      if (made_ == taken_) std::rethrow_exception(error_);
    }
    const std::int64_t items = loader_.items_of(taken_);
    const HostBatch& host = in_ring(taken_);
    std::vector<Tensor> batch;
    for (std::size_t i = 0; i < host.size(); ++i) {
      const Field& field = loader_.fields_[i];
      batch.push_back(loader_.memory_->upload(batch_shape(items, field.shape), host[i], field.dtype));
    }
    {
      const std::lock_guard lock(mutex_);
      ++taken_;
    }
    changed_.notify_all();
    return batch;
  }

 private:
  using HostBatch = std::vector<std::vector<std::byte>>;  // an array a field
  HostBatch& in_ring(std::int64_t batch) { return ring_[static_cast<std::size_t>(batch % kRing)]; }

  void produce(const LoaderPosition& from) {
    try {
      const std::vector<std::uint32_t> order = loader_.order(from.epoch);
      for (std::int64_t batch = from.batch; batch < loader_.batch_count(); ++batch) {
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [&] { return batch - taken_ < kRing || stopped_; });
          if (stopped_) return;
        }
        const std::int64_t start = batch * loader_.options_.batch_size;
        fill(in_ring(batch), std::span(order).subspan(static_cast<std::size_t>(start),
                                                      static_cast<std::size_t>(loader_.items_of(batch))));
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

  void fill(HostBatch& host, std::span<const std::uint32_t> items) const {
    host.resize(loader_.fields_.size());
    std::vector<Slot> slots;
    for (std::size_t i = 0; i < host.size(); ++i) {
      const Field& field = loader_.fields_[i];
      host[i].resize(items.size() * static_cast<std::size_t>(field.shape.count()) * size_of(field.dtype));
      slots.emplace_back(field.dtype, host[i]);
    }
    loader_.source_.fill(items, slots);
  }

  const TensorLoader& loader_;
  std::array<HostBatch, kRing> ring_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t made_;
  std::int64_t taken_;
  bool stopped_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses all of the above
};

TensorLoader::Pass::Pass(std::unique_ptr<Prefetch> prefetch) : prefetch_(std::move(prefetch)) {}
TensorLoader::Pass::Pass(Pass&&) noexcept = default;
TensorLoader::Pass& TensorLoader::Pass::operator=(Pass&&) noexcept = default;
TensorLoader::Pass::~Pass() = default;

std::optional<std::vector<Tensor>> TensorLoader::Pass::next() { return prefetch_->next(); }

TensorLoader::TensorLoader(Device& device, const Source& source, const LoaderOptions& options)
    : memory_(std::make_shared<Memory>(device)),
      source_(source),
      fields_(source.fields()),
      options_(options),
      count_(source.count()) {
  require(options.batch_size >= 1, "the loader's batch size is {}; it must be at least 1", options.batch_size);
  require(count_ <= UINT32_MAX, "a source of {} items; the loader counts to {}", count_, UINT32_MAX);
  if (options.drop_last) count_ -= count_ % options.batch_size;
  require(count_ > 0, "{} items make no batch of {}; take a smaller batch size", source.count(), options.batch_size);
}

TensorLoader::~TensorLoader() = default;

std::int64_t TensorLoader::items_of(std::int64_t batch) const {
  return std::min(options_.batch_size, count_ - batch * options_.batch_size);
}

TensorLoader::Pass TensorLoader::pass(const LoaderPosition& from) const {
  return Pass(std::make_unique<Prefetch>(*this, from));
}

std::vector<Tensor> TensorLoader::next_tensors() {
  if (!current_) current_ = pass(position_);
  std::vector<Tensor> batch = *current_->next();
  if (++position_.batch == batch_count()) {
    position_ = {position_.epoch + 1, 0};
    current_.reset();
  }
  return batch;
}

void TensorLoader::visit_state(StateVisitor& visitor) {
  auto seed = std::bit_cast<std::int64_t>(options_.seed);
  LoaderPosition position = position_;
  visitor.integer("epoch", position.epoch);
  visitor.integer("batch", position.batch);
  visitor.integer("seed", seed);
  if (!visitor.restores()) return;
  require(position.epoch >= 0 && position.batch >= 0 && position.batch < batch_count(),
          "a loader cannot go on at batch {} of epoch {}: it has {} batches an epoch; give it the batch size and the "
          "data that it had",
          position.batch, position.epoch, batch_count());
  current_.reset();
  position_ = position;
  options_.seed = std::bit_cast<std::uint64_t>(seed);
}

std::vector<std::uint32_t> TensorLoader::order(std::int64_t epoch) const {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(source_.count()));
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
