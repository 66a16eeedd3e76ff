#include "report.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "amphora/io/table.h"
#include "tables.h"

namespace amphora::gpu_check {
namespace {

using io::Json;

std::size_t count(const Check& check, Result result) {
  return static_cast<std::size_t>(std::count_if(check.findings.begin(), check.findings.end(),
                                                [result](const Finding& f) { return f.result == result; }));
}

std::vector<io::Row> rows_of(const Check& check) {
  std::vector<io::Row> rows{{"step", "result", "measured", "seconds", "log"}};
  for (const Finding& f : check.findings) {
    rows.push_back({f.step, std::string(name_of(f.result)), f.measured, fmt::format("{:.1f}", f.seconds),
                    f.log.empty() ? "-" : f.log});
  }
  return rows;
}

}  // namespace

std::string_view name_of(Result result) {
  constexpr std::string_view kNames[] = {"passed", "FAILED", "unsupported", "not present"};
  return kNames[static_cast<int>(result)];
}

bool Check::passed() const { return count(*this, Result::failed) == 0 && count(*this, Result::passed) > 0; }

std::string Check::verdict() const {
  const std::size_t failed = count(*this, Result::failed);
  std::string text = fmt::format("{}: {} steps passed, {} failed", passed() ? "PASSED" : "FAILED",
                                 count(*this, Result::passed), failed);
  if (const std::size_t n = count(*this, Result::unsupported); n > 0) text += fmt::format(", {} unsupported", n);
  if (const std::size_t n = count(*this, Result::absent); n > 0) text += fmt::format(", {} without their tool", n);
  if (!passed() && failed == 0) text += "; nothing ran on a GPU";
  return text;
}

std::string to_text(const Check& check) {
  return fmt::format("\n{}, {}, commit {}\n\n{}\n{}\n", check.machine.gpu, check.machine.date, check.machine.commit,
                     io::table(rows_of(check), "lllrl"), check.verdict());
}

std::string to_markdown(const Check& check) {
  const Machine& machine = check.machine;
  std::string text = fmt::format("# {}, {}\n\n{}. Made by `./run gpu-check` at commit {}.\n", machine.gpu, machine.date,
                                 check.verdict(), machine.commit);
  std::vector<io::Row> facts{{"machine", ""}};
  for (const auto& [name, value] : machine.facts) facts.push_back({name, value});
  text += fmt::format("\n{}\n## Steps\n\n{}", markdown_table(facts), markdown_table(rows_of(check)));
  text += conformance_tables(check.findings) + sample_table(check.findings) + benchmark_tables(check.findings);
  for (const Finding& finding : check.findings) {
    if (finding.result != Result::failed) continue;
    text += fmt::format("\n## How {} failed\n\n{}\n\n```\n{}\n```\n", finding.step, finding.measured, finding.output);
  }
  return text;
}

std::string to_json(const Check& check) {
  Json facts = Json::object();
  for (const auto& [name, value] : check.machine.facts) facts[name] = value;
  Json steps = Json::array();
  for (const Finding& f : check.findings) {
    Json step = {{"step", f.step}, {"result", name_of(f.result)}, {"measured", f.measured}, {"seconds", f.seconds}};
    if (!f.details.is_null()) step["details"] = f.details;
    if (!f.output.empty()) step["output"] = f.output;
    steps.push_back(std::move(step));
  }
  const Json json = {{"gpu", check.machine.gpu}, {"date", check.machine.date}, {"commit", check.machine.commit},
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
  return fmt::format("{}-{}", name.empty() ? "unnamed" : name, machine.date);
}

}  // namespace amphora::gpu_check
