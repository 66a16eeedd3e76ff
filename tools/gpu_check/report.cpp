#include "report.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/table.h"

namespace amphora::gpu_check {
namespace {

using nlohmann::ordered_json;

std::string markdown_table(const std::vector<io::Row>& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("| {} |\n", fmt::join(rows[i], " | "));
    if (i > 0) continue;
    for (std::size_t column = 0; column < rows[i].size(); ++column) text += "|---";
    text += "|\n";
  }
  return text;
}

std::vector<io::Row> rows_of(const Check& check) {
  std::vector<io::Row> rows{{"step", "result", "measured", "seconds", "log"}};
  for (const Finding& f : check.findings) {
    rows.push_back({f.step, std::string(name_of(f.result)), f.measured, fmt::format("{:.1f}", f.seconds),
                    f.log.empty() ? "-" : f.log});
  }
  return rows;
}

// A table that a step left in its details: {"columns": [...], "rows": [[...], ...]}.
std::string details_table(const Finding& finding) {
  if (!finding.details.contains("rows")) return {};
  std::vector<io::Row> rows{finding.details.at("columns").get<io::Row>()};
  for (const ordered_json& row : finding.details.at("rows")) rows.push_back(row.get<io::Row>());
  return fmt::format("\n## {}\n\n{}", finding.step, markdown_table(rows));
}

}  // namespace

std::string_view name_of(Result result) {
  constexpr std::string_view kNames[] = {"passed", "FAILED", "unsupported", "not present"};
  return kNames[static_cast<int>(result)];
}

bool Check::passed() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.result == Result::failed; });
}

std::string to_text(const Check& check) {
  return fmt::format("\n{}, {}, commit {}\n\n{}\n{}\n", check.machine.gpu, check.machine.date, check.machine.commit,
                     io::table(rows_of(check), "lllrl"), check.passed() ? "PASSED" : "FAILED");
}

std::string to_markdown(const Check& check) {
  const Machine& machine = check.machine;
  std::string text = fmt::format("# {}, {}\n\n{}: made by `./run gpu-check` at commit {}.\n\n", machine.gpu,
                                 machine.date, check.passed() ? "Passed" : "FAILED", machine.commit);
  std::vector<io::Row> facts{{"machine", ""}};
  for (const auto& [name, value] : machine.facts) facts.push_back({name, value});
  text += markdown_table(facts) + "\n" + markdown_table(rows_of(check));
  for (const Finding& finding : check.findings) text += details_table(finding);
  for (const Finding& finding : check.findings) {
    if (finding.result != Result::failed) continue;
    text += fmt::format("\n## How {} failed\n\n```\n{}\n```\n", finding.step, finding.output);
  }
  return text;
}

std::string to_json(const Check& check) {
  ordered_json facts = ordered_json::object();
  for (const auto& [name, value] : check.machine.facts) facts[name] = value;
  ordered_json steps = ordered_json::array();
  for (const Finding& f : check.findings) {
    ordered_json step = {
        {"step", f.step}, {"result", name_of(f.result)}, {"measured", f.measured}, {"seconds", f.seconds}};
    if (!f.details.is_null()) step["details"] = f.details;
    if (!f.output.empty()) step["output"] = f.output;
    steps.push_back(std::move(step));
  }
  const ordered_json json = {{"gpu", check.machine.gpu}, {"date", check.machine.date}, {"commit", check.machine.commit},
                             {"machine", facts},         {"passed", check.passed()},   {"steps", steps}};
  return json.dump(2) + "\n";
}

std::string file_name(const Machine& machine) {
  std::string name;
  for (const char c : machine.gpu) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) != 0) {
      name += static_cast<char>(std::tolower(letter));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return fmt::format("{}-{}", name.empty() ? "no-gpu" : name, machine.date);
}

}  // namespace amphora::gpu_check
