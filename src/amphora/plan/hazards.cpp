#include "amphora/plan/hazards.h"

#include <algorithm>
#include <utility>

namespace amphora::plan {
namespace {

constexpr std::size_t kBits = 64;  // of a word

bool overlap(const Access& a, const Access& b) {
  if (a.bytes == 0 || b.bytes == 0) return false;
  return a.address < b.address + b.bytes && b.address < a.address + a.bytes;
}

bool conflict(std::span<const Access> earlier, std::span<const Access> later) {
  return std::any_of(later.begin(), later.end(), [earlier](const Access& access) {
    return std::any_of(earlier.begin(), earlier.end(), [&access](const Access& other) {
      return (access.write || other.write) && overlap(access, other);
    });
  });
}

}  // namespace

bool Hazards::conflict(std::span<const Access> accesses) const { return plan::conflict(accesses_, accesses); }

void Hazards::add(std::span<const Access> accesses) {
  for (const Access& access : accesses) {
    if (access.bytes > 0) accesses_.push_back(access);
  }
}

std::vector<std::size_t> Order::add(std::vector<Access> accesses) {
  std::vector<std::size_t> waits_for;
  std::vector<std::uint64_t> before(calls_.size() / kBits + 1);
  // From the latest to the earliest: a call that is waited for brings all that it waits for.
  for (std::size_t i = calls_.size(); i-- > 0;) {
    if ((before[i / kBits] >> i % kBits & 1) != 0 || !plan::conflict(calls_[i].accesses, accesses)) continue;
    waits_for.push_back(i);
    before[i / kBits] |= std::uint64_t{1} << i % kBits;
    for (std::size_t word = 0; word < calls_[i].before.size(); ++word) before[word] |= calls_[i].before[word];
  }
  calls_.push_back({std::move(accesses), std::move(before)});
  return waits_for;
}

}  // namespace amphora::plan
