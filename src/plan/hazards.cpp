#include "plan/hazards.h"

#include <algorithm>

namespace amphora::plan {
namespace {

bool overlap(const Access& a, const Access& b) {
  if (a.bytes == 0 || b.bytes == 0) return false;
  return a.address < b.address + b.bytes && b.address < a.address + a.bytes;
}

}  // namespace

bool Hazards::conflict(std::span<const Access> accesses) const {
  return std::any_of(accesses.begin(), accesses.end(), [this](const Access& access) {
    return std::any_of(accesses_.begin(), accesses_.end(), [&access](const Access& earlier) {
      return (access.write || earlier.write) && overlap(access, earlier);
    });
  });
}

void Hazards::add(std::span<const Access> accesses) {
  for (const Access& access : accesses) {
    if (access.bytes > 0) accesses_.push_back(access);
  }
}

}  // namespace amphora::plan
