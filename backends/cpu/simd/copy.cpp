// fill, cast, copy, accumulate: memory and conversions.
#include <array>
#include <cstring>
#include <utility>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/strided.h"
#include "backends/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/copy.cpp"
#include "hwy/foreach_target.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

void add_block(const float* x, const float* sum, float* out, std::size_t count) {
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(hn::Add(load(sum + i), load(x + i)), out + i);
  if (i < count) {
    const std::size_t rest = count - i;
    store_part(hn::Add(load_part(sum + i, rest), load_part(x + i, rest)), out + i, rest);
  }
}

void accumulate(const KernelCall& call, Threads& threads) {
  const Input in(call.type_at(op::accumulate::in), data_of(call, op::accumulate::in));
  const Input old(call.type_at(op::accumulate::sum), data_of(call, op::accumulate::sum));
  const Output sum(call.type_at(op::accumulate::sum), data_of(call, op::accumulate::sum));
  run_chunks(threads, call.params<CountParams>().count, [&](std::size_t begin, std::size_t end) {
    Block x_block, sum_block;
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      const float* x = in.read(at, count, x_block.values);
      const float* s = old.read(at, count, sum_block.values);
      float* out = sum.place(at, sum_block.values);
      add_block(x, s, out, count);
      sum.write(at, count, out);
    });
  });
}

Launcher find_accumulate() { return accumulate; }

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace amphora::cpu::simd {
namespace {

HWY_EXPORT(find_accumulate);

// Storage without arithmetic, by size.
template <class Visitor>
void visit_storage(DType type, const Visitor& visitor) {
  switch (size_of(type)) {
    case 2: return visitor.template operator()<std::uint16_t>();
    case 8: return visitor.template operator()<std::uint64_t>();
    default: return visitor.template operator()<std::uint32_t>();
  }
}

void fill(const KernelCall& call, Threads& threads) {
  const auto params = call.params<FillParams>();
  visit_storage(call.type_at(op::fill::out), [&]<class T>() {
    T pattern;
    store_element(call.type_at(op::fill::out), &pattern, 0, params.value);
    T* out = data_of<T>(call, op::fill::out);
    run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) {
      if (pattern == 0) {
        std::memset(out + begin, 0, (end - begin) * sizeof(T));  // spares reading what it overwrites
      } else {
        std::fill(out + begin, out + end, pattern);
      }
    });
  });
}

void cast(const KernelCall& call, Threads& threads) {
  const Input in(call.type_at(op::cast::in), data_of(call, op::cast::in));
  const Output out(call.type_at(op::cast::out), data_of(call, op::cast::out));
  const bool to_f32 = call.type_at(op::cast::out) == DType::f32;
  run_chunks(threads, call.params<CountParams>().count, [&](std::size_t begin, std::size_t end) {
    Block block;
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      float* place = out.place(at, block.values);
      const float* values = in.read(at, count, place);
      if (to_f32 && values != place) std::memcpy(place, values, count * sizeof(float));
      out.write(at, count, values);
    });
  });
}

template <class T>
void copy_row(const T* in, std::int64_t in_stride, T* out, std::int64_t out_stride, std::int64_t count) {
  if (out_stride == 1 && in_stride == 1) {
    std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(T));
  } else if (out_stride == 1 && in_stride == 0) {
    std::fill(out, out + count, *in);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

// out[r, c] = in[c, r] over a tile that both sides keep in the first-level cache.
template <class T>
void copy_transposed(const T* in, std::int64_t in_stride, T* out, std::int64_t out_stride, std::int64_t rows,
                     std::int64_t columns) {
  constexpr std::int64_t kTile = 16;
  for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const std::int64_t r1 = std::min(rows, r0 + kTile);
    for (std::int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const std::int64_t c1 = std::min(columns, c0 + kTile);
      for (std::int64_t r = r0; r < r1; ++r) {
        for (std::int64_t c = c0; c < c1; ++c) out[r * out_stride + c] = in[c * in_stride + r];
      }
    }
  }
}

// The axis along which `in` is contiguous where the last axis is not, or -1.
int transposed_axis(const Axes<2>& axes) {
  const auto& row = axes.strides[axes.last()];
  if (axes.rank < 2 || row[0] <= 1 || row[1] != 1) return -1;
  for (int axis = 0; axis + 1 < axes.rank; ++axis) {
    if (axes.strides[static_cast<std::size_t>(axis)][0] == 1) return axis;
  }
  return -1;
}

void copy(const KernelCall& call, Threads& threads) {
  const auto params = call.params<CopyParams>();
  for (int axis = 0; axis < params.rank; ++axis) {
    if (params.sizes[axis] == 0) return;
  }
  Axes<2> axes(params.rank, params.sizes, {params.in_strides, params.out_strides});
  const int transposed = transposed_axis(axes);
  if (transposed >= 0) {
    // The order of the axes is free: the two that are transposed come last.
    const auto axis = static_cast<std::size_t>(transposed);
    for (std::size_t i = axis; i + 2 < static_cast<std::size_t>(axes.rank); ++i) {
      std::swap(axes.sizes[i], axes.sizes[i + 1]);
      std::swap(axes.strides[i], axes.strides[i + 1]);
    }
  }
  const std::int64_t columns = axes.columns();
  const std::int64_t in_stride = axes.strides[axes.last()][0];
  const std::int64_t out_stride = axes.strides[axes.last()][1];
  const std::int64_t rows = axes.rows();
  // With a transposition a task is a band of one plane, else some rows.
  const std::int64_t plane_rows = transposed >= 0 ? axes.sizes[axes.last() - 1] : rows;
  const std::int64_t band =
      std::min(plane_rows, std::max<std::int64_t>(1, static_cast<std::int64_t>(kChunk) / columns + 15) / 16 * 16 + 16);
  const std::int64_t bands = (plane_rows + band - 1) / band;
  const std::int64_t planes = rows / plane_rows;
  visit_storage(call.type_at(op::copy::in), [&]<class T>() {
    const T* in = data_of<T>(call, op::copy::in);
    T* out = data_of<T>(call, op::copy::out);
    const bool small = rows * columns <= static_cast<std::int64_t>(kInline);
    run_tasks(threads, static_cast<std::size_t>(bands * planes), small, [&](std::size_t task) {
      const auto number = static_cast<std::int64_t>(task);
      const std::int64_t begin = number % bands * band;
      const std::int64_t count = std::min(band, plane_rows - begin);
      Walker<2> walker(axes, number / bands * plane_rows + begin);
      if (transposed >= 0) {
        const std::int64_t step = axes.strides[axes.last() - 1][1];
        return copy_transposed(in + walker.offset(0), in_stride, out + walker.offset(1), step, count, columns);
      }
      for (std::int64_t row = 0; row < count; ++row, walker.next()) {
        copy_row(in + walker.offset(0), in_stride, out + walker.offset(1), out_stride, columns);
      }
    });
  });
}

}  // namespace

Launcher find_copy(KernelId kernel, const Spec& spec) {
  switch (kernel) {
    case KernelId::fill: return fill;
    case KernelId::copy: return spec.types[op::copy::in] == spec.types[op::copy::out] ? copy : nullptr;
    case KernelId::cast: return is_f32_or_16bit(kernel, spec) ? cast : nullptr;
    case KernelId::accumulate: return is_f32_or_16bit(kernel, spec) ? HWY_DYNAMIC_DISPATCH(find_accumulate)() : nullptr;
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd
#endif
