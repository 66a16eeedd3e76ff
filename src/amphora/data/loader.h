// Loader: batches of a Source's items, prepared ahead by a thread of its own.
//
//   const data::Images images(set);
//   data::Loader loader(device, images, {.batch_size = 128});
//   for (const data::ImageBatch& batch : loader.epoch(0)) loss = cross_entropy(model(batch.images), batch.labels);
//
// The order depends on the seed and the epoch's number alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "amphora/core/error.h"
#include "amphora/core/input_range.h"
#include "amphora/data/source.h"
#include "amphora/tensor/each_tensor.h"
#include "amphora/tensor/state.h"
#include "amphora/tensor/tensor.h"

namespace amphora::data {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  std::uint64_t seed = 0;
  bool shuffle = true;
  bool drop_last = false;  // leaves out a last batch that is not full
};

// Where a loader goes on.
struct LoaderPosition {
  std::int64_t epoch = 0;
  std::int64_t batch = 0;  // in its epoch
};

// All of a Loader that does not depend on the type of its batches, which are lists of tensors here.
class TensorLoader {
 public:
  // `source` must outlive the loader. Throws Error for a batch size below 1 and for a source without a batch.
  TensorLoader(Device& device, const Source& source, const LoaderOptions& options = {});
  TensorLoader(Device& device, const Source&& source, const LoaderOptions& options = {}) = delete;
  TensorLoader(const TensorLoader&) = delete;
  TensorLoader& operator=(const TensorLoader&) = delete;
  ~TensorLoader();

  std::int64_t count() const { return count_; }  // of items an epoch
  std::int64_t batch_count() const { return (count_ + options_.batch_size - 1) / options_.batch_size; }
  std::int64_t items_of(std::int64_t batch) const;  // of a batch by its number in the epoch

  // The items of an epoch in order, by index.
  std::vector<std::uint32_t> order(std::int64_t epoch) const;

  // The batch that next() gives next.
  const LoaderPosition& position() const { return position_; }

  // Position and seed: a loader of the same source and options goes on where this one was. Throws Error where the
  // position is beyond this loader's batches.
  void visit_state(StateVisitor& visitor);

 protected:
  class Memory;
  class Prefetch;
  // One pass; ends its thread, wherever that is, when it goes.
  class Pass {
   public:
    explicit Pass(std::unique_ptr<Prefetch> prefetch);
    Pass(Pass&&) noexcept;
    Pass& operator=(Pass&&) noexcept;
    ~Pass();
    // The next batch, copied to the device; nothing past the last one. Its memory is used again when nobody holds the
    // batch any more. Rethrows what the source threw.
    std::optional<std::vector<Tensor>> next();

   private:
    std::unique_ptr<Prefetch> prefetch_;
  };

  Pass pass(const LoaderPosition& from) const;
  std::vector<Tensor> next_tensors();
  std::size_t field_count() const { return fields_.size(); }

 private:
  std::shared_ptr<Memory> memory_;
  const Source& source_;
  std::vector<Field> fields_;
  LoaderOptions options_;
  std::int64_t count_;
  LoaderPosition position_;
  std::optional<Pass> current_;  // that next_tensors() takes from
};

// Batch: what each_tensor() finds as many tensors in as the source has fields, or a std::vector<Tensor>.
template <class Batch>
class Loader : public TensorLoader {
 public:
  Loader(Device& device, const Source& source, const LoaderOptions& options = {})
      : TensorLoader(device, source, options) {
    if constexpr (!kIsList) {
      Batch batch;
      std::size_t tensors = 0;
      each_tensor(batch, [&tensors](const Tensor&) { ++tensors; });
      require(tensors == field_count(), "a batch with {} tensors cannot hold the {} fields of its source", tensors,
              field_count());
    }
  }
  Loader(Device& device, const Source&& source, const LoaderOptions& options = {}) = delete;

  // One pass: a range of batches, walked once. The loader must outlive it.
  auto epoch(std::int64_t number = 0) const {
    return InputRange([batches = pass({number, 0})]() mutable -> std::optional<Batch> {
      auto tensors = batches.next();
      if (!tensors) return std::nullopt;
      return batch_of(std::move(*tensors));
    });
  }

  // The next batch, of the epoch after where one is over.
  Batch next() { return batch_of(next_tensors()); }

 private:
  static constexpr bool kIsList = std::is_same_v<Batch, std::vector<Tensor>>;

  static Batch batch_of(std::vector<Tensor> tensors) {
    if constexpr (kIsList) {
      return tensors;
    } else {
      Batch batch;
      std::size_t index = 0;
      each_tensor(batch, [&](Tensor& tensor) { tensor = std::move(tensors[index++]); });
      return batch;
    }
  }
};

// A source names its batches: `using Batch = ...`.
template <class AnySource>
Loader(Device&, const AnySource&) -> Loader<typename AnySource::Batch>;
template <class AnySource>
Loader(Device&, const AnySource&, LoaderOptions) -> Loader<typename AnySource::Batch>;

}  // namespace amphora::data
