// Source: a data set, as a Loader sees it. A data set of your own derives from it.
//
//   class Lines : public data::Source {
//    public:
//     using Batch = Points;  // what its batches are to a program: see tensor/each_tensor.h
//     std::int64_t count() const override { return 1000; }
//     std::vector<data::Field> fields() const override { return {{DType::f32, {2}}, {DType::f32, {}}}; }
//     void fill(std::span<const std::uint32_t> items, std::span<const data::Slot> slots) const override;
//   };
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "amphora/core/dtype.h"
#include "amphora/core/error.h"
#include "amphora/core/shape.h"

namespace amphora::data {

// One of the tensors that make a batch: the part of it that an item fills. A batch of N items has the shape [N, ...].
struct Field {
  DType dtype = DType::f32;
  Shape shape;  // of an item's part; [] is a number
};

// A batch's tensor in host memory, to be filled: item after item, row by row.
class Slot {
 public:
  Slot(DType dtype, std::span<std::byte> bytes) : dtype_(dtype), bytes_(bytes) {}

  // As numbers of type T. Throws Error where T has another size than the field's type.
  template <class T>
  std::span<T> as() const {
    require(sizeof(T) == size_of(dtype_), "a field of {} is filled with elements of {} bytes", name_of(dtype_),
            sizeof(T));
    return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

 private:
  DType dtype_;
  std::span<std::byte> bytes_;
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = default;
  Source(Source&&) = default;
  Source& operator=(const Source&) = default;
  Source& operator=(Source&&) = default;
  virtual ~Source() = default;

  // Items, which are counted from 0. The same each time, as are the fields.
  virtual std::int64_t count() const = 0;
  // In the order of the batch's tensors.
  virtual std::vector<Field> fields() const = 0;
  // Writes these items, in this order, to a slot a field. Runs on a thread of the loader's; what it throws, the loader
  // rethrows to whoever asks for the batch.
  virtual void fill(std::span<const std::uint32_t> items, std::span<const Slot> slots) const = 0;
};

}  // namespace amphora::data
