#include "conformance/ledger.h"

#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace amphora::conformance {
namespace {

constexpr int kPrinted = 10;             // messages a test
constexpr std::size_t kMessages = 1000;  // kept for the report

Ledger*& active() {
  static Ledger whole_run;
  static Ledger* ledger = &whole_run;
  return ledger;
}

}  // namespace

Ledger& Ledger::current() { return *active(); }

Ledger::Row& Ledger::begin_case(Key key, std::string name) {
  const auto [found, is_new] = rows_.try_emplace(std::move(key));
  Row& row = found->second;
  row.key = &found->first;
  row.last_case = std::move(name);
  ++row.cases;
  return row;
}

void Ledger::note_worst(Row& row, double fraction) {
  row.worst = fraction;
  row.worst_case = row.last_case;
}

void Ledger::violate(Row& row, const std::string& message) {
  ++row.values;
  ++row.violations;
  const std::string text = fmt::format("{}, {}: {}", row.key->subject, row.last_case, message);
  if (messages_.size() < kMessages) messages_.push_back(text);
  if (records_only_) return;
  if (++printed_ <= kPrinted) {
    ADD_FAILURE() << text;
  } else if (printed_ == kPrinted + 1) {
    ADD_FAILURE() << "more violations follow; they are counted, not printed";
  }
}

std::uint64_t Ledger::violations() const {
  std::uint64_t sum = 0;
  for (const auto& [key, row] : rows_) sum += row.violations;
  return sum;
}

std::uint64_t Ledger::violations(const std::string& kernel) const {
  std::uint64_t sum = 0;
  for (const auto& [key, row] : rows_) sum += key.kernel == kernel ? row.violations : 0;
  return sum;
}

Recording::Recording() : previous_(std::exchange(active(), &ledger_)) { ledger_.records_only_ = true; }
Recording::~Recording() { active() = previous_; }

}  // namespace amphora::conformance
