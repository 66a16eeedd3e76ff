#include "amphora/autograd/trace.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace amphora::autograd {

namespace {

std::string path_of(std::string_view name) {
  std::string path = current_module();
  if (!path.empty() && !name.empty()) path += '.';
  return path += name;
}

}  // namespace

const std::string& current_module() { return context().place.module; }

ModuleScope::ModuleScope(std::string_view name) : Scoped(context().place.module, path_of(name)) {}
ModuleScope::ModuleScope(Absolute, std::string_view path) : Scoped(context().place.module, std::string(path)) {}
ModuleScope ModuleScope::absolute(std::string_view path) { return {Absolute{}, path}; }

Trace* active_trace() { return context().trace; }

void Trace::add(TraceLine line) {
  line.where = current_module();
  lines_.push_back(std::move(line));
}

void Trace::mark_tf32() {
  if (!lines_.empty()) lines_.back().tf32 = true;
}

std::string Trace::str() const {
  std::vector<std::vector<std::string>> rows = {{"#", "phase", "op", "inputs", "rule", "ran in", "where", "casts"}};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const TraceLine& line = lines_[i];
    std::vector<std::string_view> inputs;
    for (DType type : line.inputs) inputs.push_back(name_of(type));
    rows.push_back({std::to_string(i + 1), std::string(line.phase), line.op, fmt::format("{}", fmt::join(inputs, " ")),
                    line.rule.empty() ? "-" : line.rule, line.tf32 ? "tf32" : std::string(name_of(line.ran_in)),
                    line.where.empty() ? "-" : line.where,
                    line.casts.empty() ? "-" : fmt::format("{}", fmt::join(line.casts, ", "))});
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c + 1 < row.size(); ++c) line += fmt::format("{:<{}}  ", row[c], widths[c]);
    text += line + row.back() + '\n';
  }
  return text;
}

}  // namespace amphora::autograd
