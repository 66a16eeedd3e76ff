// What the conformance tests share: guarded arrays, random values, and running one call on a kernel and on the oracle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "backends/cpu/kernels.h"
#include "core/dtype.h"
#include "kernel/call.h"

namespace amphora::conformance {

inline constexpr DType kFloats[] = {DType::f32, DType::f16, DType::bf16};

// An array on the cpu device between guard bytes. An array of no elements can stand for an absent buffer.
class Array {
 public:
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
  BufferRange range() const;

  double operator[](std::size_t i) const { return load_element(type_, data_, i); }
  void set(std::size_t i, double value) { store_element(type_, data_, i, value); }
  // The same values in another type, each rounded once.
  Array as(DType type) const;

  bool same_bytes(const Array& other) const;
  bool guards_intact() const;

 private:
  DType type_ = DType::f32;
  std::size_t count_ = 0;
  BufferPtr buffer_;
  std::byte* data_ = nullptr;
};

// Random numbers of one test; the seed is fresh in every run and printed when the test fails. AMPHORA_TEST_SEED sets
// it.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double normal(double deviation = 1.0) { return deviation * normal_(engine_); }
  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }
  std::int64_t below(std::int64_t bound) { return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(engine_); }
  Array array(DType type, std::size_t count, double deviation = 1.0);

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
};

// A test that runs once for each instruction set that the kernels are compiled for and this CPU has.
class OnEveryTarget : public testing::TestWithParam<std::int64_t> {
 protected:
  OnEveryTarget();
  void SetUp() override;
  void TearDown() override;

  std::uint64_t seed_;
  Random random;
};

std::vector<std::int64_t> supported_targets();
std::string target_test_name(const testing::TestParamInfo<std::int64_t>& info);

#define AMPHORA_ON_EVERY_TARGET(Suite)   \
  class Suite : public OnEveryTarget {}; \
  INSTANTIATE_TEST_SUITE_P(Cpu, Suite, testing::ValuesIn(supported_targets()), target_test_name)

cpu::Threads& threads(int count);

// Runs one call on copies of `arrays` and returns them. Checks the guards, and that what is only read stays as it was.
std::vector<Array> run(cpu::Launcher launcher, const KernelCall& call, const std::vector<Array>& arrays,
                       int thread_count = 2);

// The vectorised kernel's results; fails the test where there is no such kernel.
template <class Params>
std::vector<Array> run_simd(KernelId kernel, Spec spec, const Params& params, const std::vector<Array>& arrays,
                            int thread_count = 2) {
  const cpu::Launcher launcher = cpu::simd::find_launcher(kernel, spec);
  EXPECT_NE(launcher, nullptr) << name_of(kernel) << " has no vectorised form for these types";
  return launcher == nullptr ? arrays : run(launcher, KernelCall(kernel, spec, params), arrays, thread_count);
}

// The oracle's results. Floating arrays that it writes become f64 first, so that they hold the exact values.
template <class Params>
std::vector<Array> run_oracle(KernelId kernel, Spec spec, const Params& params, std::vector<Array> arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const char access = info_of(kernel).access[i];
    if (access == 'r' || access == 'R' || !arrays[i].present() || !is_floating(arrays[i].type())) continue;
    arrays[i] = arrays[i].as(DType::f64);
    if (i < spec.types.size()) spec.types[i] = DType::f64;
  }
  return run(cpu::oracle::find_launcher(kernel), KernelCall(kernel, spec, params), arrays, 1);
}

// The oracle's results in the types that the call names.
template <class Params>
std::vector<Array> run_oracle_as_is(KernelId kernel, const Spec& spec, const Params& params,
                                    const std::vector<Array>& arrays) {
  return run(cpu::oracle::find_launcher(kernel), KernelCall(kernel, spec, params), arrays, 1);
}

// Expects the kernel's bits not to depend on how many threads run it.
template <class Params>
void expect_thread_independence(KernelId kernel, const Spec& spec, const Params& params,
                                const std::vector<Array>& arrays) {
  const std::vector<Array> expected = run_simd(kernel, spec, params, arrays, 1);
  for (const int count : {2, 3, 5}) {
    const std::vector<Array> actual = run_simd(kernel, spec, params, arrays, count);
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      EXPECT_TRUE(actual[i].same_bytes(expected[i])) << name_of(kernel) << " on " << count << " threads, buffer " << i;
    }
  }
}

}  // namespace amphora::conformance
