// What passes ask of a plan: who reads and writes which bytes of a value, and when.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "amphora/kernel/operands.h"
#include "amphora/plan/plan.h"

namespace amphora::plan {

// A part of a value.
struct Piece {
  int value = kNoValue;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Piece&) const = default;
  std::size_t bytes() const { return end - begin; }
};
bool overlap(const Piece& a, const Piece& b);
bool contains(const Piece& outer, const Piece& inner);

Piece piece_of(const PlannedCall& planned, int index);
// Points buffer `index` of a call at other bytes.
void point(PlannedCall& planned, int index, const Piece& piece);
// Adds a buffer to a call, absent ones before it included.
void add_buffer(PlannedCall& planned, int index, const Piece& piece);
Use use_of(const PlannedCall& planned, int index);

// The same call with other parameters.
template <class Params>
KernelCall with_params(const KernelCall& call, const Params& params) {
  KernelCall result(call.id, call.spec, params);
  result.buffer_count = call.buffer_count;
  result.buffers = call.buffers;
  return result;
}

// Takes a call out: it touches nothing any more. sweep() deletes such calls and returns how many there were.
void take_out(PlannedCall& planned);
bool is_out(const PlannedCall& planned);
int sweep(Plan& plan);

struct ValueAccess {
  std::size_t call = 0;
  int index = 0;  // of the buffer
  Use use = Use::absent;
  Piece piece;
};

// All accesses of a plan by value, in order. Stale as soon as the plan changes.
class Accesses {
 public:
  explicit Accesses(const Plan& plan);

  std::span<const ValueAccess> of(int value) const { return by_value_[static_cast<std::size_t>(value)]; }

  // Whether none of the calls [begin, end) writes, or touches, any byte of a piece.
  bool unwritten(const Piece& piece, std::size_t begin, std::size_t end) const;
  bool untouched(const Piece& piece, std::size_t begin, std::size_t end) const;

  // The call that makes a transient value: the first to touch it, which writes all of it, and the only one that writes.
  // null where there is none.
  const ValueAccess* maker_of(int value) const;

 private:
  const Plan* plan_;
  std::vector<std::vector<ValueAccess>> by_value_;
};

}  // namespace amphora::plan
