#include "conformance/report.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "amphora/io/table.h"

namespace amphora::conformance {
namespace {

using io::Row;

std::string verdict_of(const Ledger::Row& row) {
  return row.violations == 0 ? "ok" : fmt::format("{} VIOLATIONS", row.violations);
}

const Row kHeader{"subject", "kernel", "types", "path", "cases", "values", "largest error / bound", "verdict"};

Row cells_of(const Ledger::Row& row) {
  const Ledger::Key& key = *row.key;
  return {key.subject,
          key.kernel,
          key.types,
          key.path,
          std::to_string(row.cases),
          std::to_string(row.values),
          fmt::format("{:.3f}", row.worst),
          verdict_of(row)};
}

std::vector<Row> table_of(const Ledger& ledger) {
  std::vector<Row> rows{kHeader};
  for (const auto& [key, row] : ledger.rows()) rows.push_back(cells_of(row));
  return rows;
}

std::vector<Row> unsupported_of(const Ledger& ledger) {
  std::vector<Row> rows{{"subject", "kernel", "types", "cases", "reason"}};
  for (const auto& [key, cases] : ledger.unsupported()) {
    rows.push_back({key.subject, key.kernel, key.types, std::to_string(cases), key.path});
  }
  return rows;
}

std::string summary_of(const Ledger& ledger, const RunResult& run) {
  std::uint64_t values = 0;
  for (const auto& [key, row] : ledger.rows()) values += row.values;
  return fmt::format("{}: {} values, {} violations, {} failed tests, {:.1f} s; to repeat it: --seed {}",
                     run.passed ? "PASSED" : "FAILED", values, ledger.violations(), run.failed_tests.size(),
                     run.seconds, run.seed);
}

std::string lines(const std::vector<std::string>& texts, std::string_view before) {
  std::string text;
  for (const std::string& line : texts) text += fmt::format("{}{}\n", before, line);
  return text;
}

std::string markdown_table(const std::vector<Row>& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("| {} |\n", fmt::join(rows[i], " | "));
    if (i > 0) continue;
    for (std::size_t column = 0; column < rows[i].size(); ++column) text += "| --- ";
    text += "|\n";
  }
  return text;
}

}  // namespace

std::string to_text(const Ledger& ledger, const RunResult& run) {
  std::string text = lines(run.devices, "");
  if (!ledger.rows().empty()) text += "\n" + io::table(table_of(ledger), "llllrrrl");
  text += "\nA fraction of 0 is the exact result, rounded once. 'types' are what is read -> what is written.\n";
  if (ledger.unsupported().empty()) {
    text += "\nNothing was left out as unsupported.\n";
  } else {
    text += "\nUnsupported:\n" + io::table(unsupported_of(ledger), "lllrl");
  }
  if (!run.skipped_tests.empty()) text += "\nSkipped:\n" + lines(run.skipped_tests, "  ");
  if (!run.failed_tests.empty()) text += "\nFailed:\n" + lines(run.failed_tests, "  ");
  return text + "\n" + summary_of(ledger, run) + "\n";
}

std::string to_markdown(const Ledger& ledger, const RunResult& run) {
  std::string text = fmt::format("# Conformance\n\n{}\n\n{}\n", summary_of(ledger, run), lines(run.devices, "- "));
  text += markdown_table(table_of(ledger));
  text += "\nA fraction of 0 is the exact result, rounded once.\n\n## Unsupported\n\n";
  text += ledger.unsupported().empty() ? "Nothing.\n" : markdown_table(unsupported_of(ledger));
  if (!run.skipped_tests.empty()) text += "\n## Skipped\n\n" + lines(run.skipped_tests, "- ");
  if (!run.failed_tests.empty()) text += "\n## Failed tests\n\n" + lines(run.failed_tests, "- ");
  if (!ledger.messages().empty()) text += "\n## Violations\n\n" + lines(ledger.messages(), "- ");
  return text;
}

std::string to_json(const Ledger& ledger, const RunResult& run) {
  using nlohmann::ordered_json;
  ordered_json rows = ordered_json::array();
  for (const auto& [key, row] : ledger.rows()) {
    rows.push_back({{"subject", key.subject},
                    {"kernel", key.kernel},
                    {"types", key.types},
                    {"path", key.path},
                    {"cases", row.cases},
                    {"values", row.values},
                    {"largest_error_over_bound", row.worst},
                    {"worst_case", row.worst_case},
                    {"violations", row.violations}});
  }
  ordered_json unsupported = ordered_json::array();
  for (const auto& [key, cases] : ledger.unsupported()) {
    unsupported.push_back({{"subject", key.subject},
                           {"kernel", key.kernel},
                           {"types", key.types},
                           {"cases", cases},
                           {"reason", key.path}});
  }
  const ordered_json report = {{"passed", run.passed},
                               {"seed", run.seed},
                               {"seconds", run.seconds},
                               {"devices", run.devices},
                               {"rows", rows},
                               {"unsupported", unsupported},
                               {"passed_tests", run.passed_tests},
                               {"skipped_tests", run.skipped_tests},
                               {"failed_tests", run.failed_tests},
                               {"violations", ledger.messages()}};
  return report.dump(2) + "\n";
}

}  // namespace amphora::conformance
