#include <utility>

#include <fmt/format.h>

#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

// Gives the values that calls name, and those that are kept, numbers without gaps.
void drop_unused_values(Plan& plan) {
  std::vector<bool> is_used;
  is_used.reserve(plan.values.size());
  for (const Value& value : plan.values) is_used.push_back(value.role != Role::transient);
  for (const PlannedCall& planned : plan.calls) {
    for (const int value : planned.values) {
      if (value != kNoValue) is_used[static_cast<std::size_t>(value)] = true;
    }
  }
  std::vector<int> numbers(plan.values.size(), kNoValue);
  std::vector<Value> values;
  for (std::size_t value = 0; value < plan.values.size(); ++value) {
    if (!is_used[value]) continue;
    numbers[value] = static_cast<int>(values.size());
    values.push_back(std::move(plan.values[value]));
  }
  plan.values = std::move(values);
  for (PlannedCall& planned : plan.calls) {
    for (int& value : planned.values) {
      if (value != kNoValue) value = numbers[static_cast<std::size_t>(value)];
    }
  }
}

}  // namespace

Optimized optimize(Plan plan, const PassOptions& options, const PathOf& path_of) {
  Optimized result{std::move(plan), {}};
  const auto run = [&result](bool wanted, const char* name, const auto& pass) {
    if (!wanted) return;
    const auto before = static_cast<int>(result.plan.calls.size());
    const int changes = pass(result.plan);
    result.passes.push_back({name, changes, before - static_cast<int>(result.plan.calls.size())});
  };
  run(options.drop_unread_operands, "drop_unread_operands", [&](Plan& p) { return drop_unread_operands(p, path_of); });
  run(options.share_casts, "share_casts", share_casts);
  run(options.fold_casts, "fold_casts", [&](Plan& p) { return fold_casts(p, path_of); });
  run(options.store_instead_of_accumulate, "store_instead_of_accumulate",
      [&](Plan& p) { return store_instead_of_accumulate(p, path_of); });
  run(options.fuse_epilogues, "fuse_epilogues", [&](Plan& p) { return fuse_epilogues(p, path_of); });
  run(options.drop_dead_calls, "drop_dead_calls", drop_dead_calls);
  drop_unused_values(result.plan);
  return result;
}

std::string describe(const std::vector<PassReport>& passes) {
  std::string text;
  for (const PassReport& report : passes) {
    if (report.changes == 0) continue;
    text += fmt::format("{}: {} change{}, {} call{} fewer\n", report.pass, report.changes,
                        report.changes == 1 ? "" : "s", report.removed, report.removed == 1 ? "" : "s");
  }
  return text;
}

}  // namespace amphora::plan
