// Guarded arrays on the host, and the random numbers of one test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "amphora/core/buffer.h"
#include "amphora/core/dtype.h"
#include "amphora/kernel/call.h"
#include "conformance/ledger.h"

namespace amphora::conformance {

inline constexpr DType kFloats[] = {DType::f32, DType::f16, DType::bf16};

// An array on the cpu device between guard bytes. A default-constructed array stands for an absent buffer.
class Array {
 public:
  static constexpr std::size_t kGuard = 64;
  static constexpr std::byte kPattern{0xA5};

  Array() = default;  // absent
  Array(DType type, std::size_t count);
  Array(const Array& other);  // a copy of its own
  Array& operator=(const Array& other);
  Array(Array&&) = default;
  Array& operator=(Array&&) = default;

  bool present() const { return buffer_ != nullptr; }
  DType type() const { return type_; }
  std::size_t count() const { return count_; }
  std::size_t bytes() const { return count_ * size_of(type_); }
  std::byte* data() const { return data_; }
  std::span<std::byte> with_guards() const { return {data_ - kGuard, bytes() + 2 * kGuard}; }
  BufferRange range() const;

  double operator[](std::size_t i) const { return load_element(type_, data_, i); }
  void set(std::size_t i, double value) { store_element(type_, data_, i, value); }
  // The same values in another type, each rounded once.
  Array as(DType type) const;
  // The same memory as elements of another type of equal size. A copy of it is an array of its own.
  Array over(DType type) const;

  bool same_bytes(const Array& other) const;
  bool guards_intact() const;

  // Where findings about this array are kept; null for what no subject computed.
  Ledger::Row* row = nullptr;

 private:
  DType type_ = DType::f32;
  std::size_t count_ = 0;
  BufferPtr buffer_;
  std::byte* data_ = nullptr;
};

// Device state, such as ScalerState, as an array of 32-bit words.
template <class State>
Array words_of(const State& state) {
  Array array(DType::f32, sizeof(State) / 4);
  std::memcpy(array.data(), &state, sizeof(State));
  return array;
}
template <class State>
State state_of(const Array& array) {
  State state;
  std::memcpy(&state, array.data(), sizeof(State));
  return state;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double normal(double deviation = 1.0) { return deviation * normal_(engine_); }
  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }
  std::int64_t below(std::int64_t bound) { return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(engine_); }
  bool coin() { return below(2) == 1; }
  DType floating() { return kFloats[below(3)]; }
  template <class Choices>
  auto one_of(const Choices& choices) {
    return std::data(choices)[below(static_cast<std::int64_t>(std::size(choices)))];
  }
  Array array(DType type, std::size_t count, double deviation = 1.0);
  // Whole numbers from -bound to bound.
  Array integers(DType type, std::size_t count, int bound);

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
};

}  // namespace amphora::conformance
