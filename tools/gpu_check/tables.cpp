#include "tables.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace amphora::gpu_check {
namespace {

using io::Json;

std::string escaped(const std::string& cell) {
  std::string text;
  for (const char c : cell) text += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return text;
}

std::string number(const Json& value, fmt::format_string<double> format) {
  return value.is_number() ? fmt::format(format, value.number()) : "-";
}

std::string integer(const Json& value) { return fmt::format("{}", value.count()); }

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& text : texts.elements()) all += (all.empty() ? "" : ", ") + text.text();
  return all;
}

Json::Object members_of(const Json& details, const char* name) {
  return details.contains(name) ? details.at(name).members() : Json::Object();
}

std::vector<const Finding*> with(const std::vector<Finding>& findings, const char* key) {
  std::vector<const Finding*> result;
  for (const Finding& finding : findings) {
    if (finding.details.contains(key)) result.push_back(&finding);
  }
  return result;
}

std::string titled(const char* title, const std::vector<io::Row>& rows) {
  return rows.size() < 2 ? "" : fmt::format("\n## {}\n\n{}", title, markdown_table(rows));
}

std::string rate_of(const Json& row) {
  return row.at("unit").text() == "GB/s" ? number(row.at("rate"), "{:.1f} GB/s")
                                         : number(row.at("rate"), "{:.3f} TFLOP/s");
}

std::string text_at(const Json& row, const char* key) { return row.at(key).text(); }

// The same measurement in another backend's results; null: it has none.
const Json* find_same(const Json& results, const Json& row) {
  for (const Json& other : results.elements()) {
    if (other.at("what") == row.at("what") && other.at("types") == row.at("types") &&
        other.at("shape") == row.at("shape")) {
      return &other;
    }
  }
  return nullptr;
}

std::string benchmark_table(const Finding& finding) {
  std::vector<io::Row> rows{{"what", "types", "shape", "time", "rate", "of the copy"}};
  for (const Json& row : finding.details.at("results").elements()) {
    rows.push_back({text_at(row, "what"), text_at(row, "types"), text_at(row, "shape"),
                    fmt::format("{:.3f} ms", row.at("seconds").number() * 1e3), rate_of(row),
                    number(row.at("of_copy"), "{:.2f}")});
  }
  return fmt::format("\n## {} ({})\n\n{}", finding.step, text_at(finding.details, "device"), markdown_table(rows));
}

std::string comparison(const Finding& ceiling, const Finding& other) {
  const std::string first = text_at(ceiling.details, "backend"), second = text_at(other.details, "backend");
  std::vector<io::Row> rows{{"what", "types", "shape", first, second, second + " / " + first}};
  for (const Json& row : ceiling.details.at("results").elements()) {
    const Json* same = find_same(other.details.at("results"), row);
    if (same == nullptr) continue;
    rows.push_back({text_at(row, "what"), text_at(row, "types"), text_at(row, "shape"), rate_of(row), rate_of(*same),
                    fmt::format("{:.2f}", row.at("seconds").number() / same->at("seconds").number())});
  }
  return titled(fmt::format("{} beside {}", second, first).c_str(), rows);
}

}  // namespace

std::string markdown_table(const std::vector<io::Row>& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const std::string& cell : rows[i]) text += fmt::format("| {} ", escaped(cell));
    text += "|\n";
    if (i > 0) continue;
    for (std::size_t column = 0; column < rows[i].size(); ++column) text += "|---";
    text += "|\n";
  }
  return text;
}

std::string conformance_tables(const std::vector<Finding>& findings) {
  std::vector<io::Row> suites{
      {"suite", "passed", "failed", "skipped", "values", "violations", "largest error / bound"}};
  std::vector<io::Row> kernels{{"suite", "kernel", "paths", "values", "largest error / bound"}};
  std::vector<io::Row> unsupported{{"suite", "calls", "of", "reason"}};
  for (const Finding* finding : with(findings, "tests")) {
    const Json& d = finding->details;
    const Json& tests = d.at("tests");
    suites.push_back({finding->step, integer(tests.at("passed")), integer(tests.at("failed")),
                      integer(tests.at("skipped")), d.contains("values") ? integer(d.at("values")) : "-",
                      d.contains("violations") ? integer(d.at("violations")) : "-",
                      d.contains("largest") ? number(d.at("largest"), "{:.3f}") : "-"});
    for (const auto& [name, kernel] : members_of(d, "kernels")) {
      kernels.push_back({finding->step, name, joined(kernel.at("paths")), integer(kernel.at("values")),
                         number(kernel.at("largest"), "{:.3f}")});
    }
    for (const auto& [reason, what] : members_of(d, "unsupported")) {
      unsupported.push_back({finding->step, integer(what.at("calls")), joined(what.at("kernels")), reason});
    }
  }
  return titled("Tests", suites) + titled("Kernels", kernels) + titled("Unsupported", unsupported);
}

std::string sample_table(const std::vector<Finding>& findings) {
  std::vector<io::Row> rows{
      {"sample", "metric", "value", "cpu", "difference", "median step", "cpu", "skipped steps", "loss scales"}};
  for (const Finding* finding : with(findings, "metrics")) {
    const Json& d = finding->details;
    const std::string parted = text_at(d, "loss_scales_part_at");
    for (const Json& metric : d.at("metrics").elements()) {
      io::Row row{finding->step, text_at(metric, "name")};
      for (const Json& text : metric.at("shown").elements()) row.push_back(text.text());
      row.insert(row.end(),
                 {number(d.at("median_step_ms"), "{:.3f} ms"), number(d.at("cpu_median_step_ms"), "{:.3f} ms"),
                  integer(d.at("skipped_steps")), parted.empty() ? "the cpu's" : parted});
      rows.push_back(row);
    }
  }
  return titled("Samples", rows);
}

std::string benchmark_tables(const std::vector<Finding>& findings) {
  const std::vector<const Finding*> measured = with(findings, "results");
  std::string text;
  for (const Finding* finding : measured) text += benchmark_table(*finding);
  for (std::size_t i = 1; i < measured.size(); ++i) text += comparison(*measured.front(), *measured[i]);
  return text;
}

}  // namespace amphora::gpu_check
