// Mixes of element types: all of them, or few that still pair every type with every other.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "conformance/subject.h"

namespace amphora::conformance {

template <std::size_t kBuffers>
using Mix = std::array<DType, kBuffers>;

template <std::size_t kBuffers>
std::vector<Mix<kBuffers>> every_mix() {
  std::vector<Mix<kBuffers>> mixes(1);
  for (std::size_t buffer = 0; buffer < kBuffers; ++buffer) {
    std::vector<Mix<kBuffers>> longer;
    for (Mix<kBuffers> mix : mixes) {
      for (const DType type : kFloats) {
        mix[buffer] = type;
        longer.push_back(mix);
      }
    }
    mixes = std::move(longer);
  }
  return mixes;
}

// Nine mixes in which any two buffers meet in each of the nine pairs of types: the rows of the orthogonal array
// L9(3^4), with the types of each column and the rows shuffled.
template <std::size_t kBuffers>
std::vector<Mix<kBuffers>> orthogonal_mixes(Random& random) {
  static_assert(kBuffers >= 2 && kBuffers <= 4);
  std::array<std::size_t, kBuffers> shifts{};
  for (std::size_t& shift : shifts) shift = static_cast<std::size_t>(random.below(3));
  std::vector<Mix<kBuffers>> mixes;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const std::size_t columns[] = {i, j, i + j, i + 2 * j};
      Mix<kBuffers> mix{};
      for (std::size_t k = 0; k < kBuffers; ++k) mix[k] = kFloats[(columns[k] + shifts[k]) % 3];
      mixes.push_back(mix);
    }
  }
  for (std::size_t i = mixes.size(); i > 1; --i) {
    std::swap(mixes[i - 1], mixes[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  }
  return mixes;
}

// What a test loops over: every mix, or nine where each has to be compiled.
template <std::size_t kBuffers>
std::vector<Mix<kBuffers>> type_mixes(Random& random) {
  return Subject::current().compiles() ? orthogonal_mixes<kBuffers>(random) : every_mix<kBuffers>();
}

// The mixes for function `index` of many that share a kernel: all, or two where each has to be compiled, so that five
// functions see all nine.
template <std::size_t kBuffers>
std::vector<Mix<kBuffers>> share_of(const std::vector<Mix<kBuffers>>& mixes, std::size_t index) {
  if (!Subject::current().compiles()) return mixes;
  return {mixes[2 * index % mixes.size()], mixes[(2 * index + 1) % mixes.size()]};
}

template <std::size_t kBuffers>
std::string names_of(const Mix<kBuffers>& mix) {
  std::string text;
  for (const DType type : mix) text += std::string(text.empty() ? "" : " ") + std::string(name_of(type));
  return text;
}

}  // namespace amphora::conformance
