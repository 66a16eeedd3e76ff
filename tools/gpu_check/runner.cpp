#include "runner.h"

#include <fstream>
#include <iterator>

namespace amphora::gpu_check {
namespace {

// The end of a log: what a person would look at first.
std::string end_of(const std::string& text) {
  constexpr std::size_t kLongest = 4000;
  return text.size() <= kLongest ? text : "...\n" + text.substr(text.size() - kLongest);
}

}  // namespace

Command program(const Options& options, const std::string& name, const std::vector<std::string>& arguments) {
  const std::filesystem::path path = options.programs / name;
  if (options.starter.empty()) return {path, arguments, {}};
  Command command{options.starter, {path.string()}, {}};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  return command;
}

std::string slug(std::string step) {
  for (char& c : step) c = c == ' ' ? '-' : c;
  return step;
}

std::filesystem::path log_file(const Options& options, const std::string& step, const char* extension) {
  return options.logs / (slug(step) + extension);
}

Finding run_step(const Options& options, const std::string& step, const Command& command) {
  const std::filesystem::path log = log_file(options, step, ".log");
  const Ended ended = run(command, log, options.limit_seconds);
  Finding finding{.step = step, .seconds = ended.seconds, .log = log.filename().string()};
  if (!ended.passed()) fail(finding, ended.str(), end_of(text_of(log)));
  return finding;
}

void fail(Finding& finding, const std::string& measured, const std::string& output) {
  finding.result = Result::failed;
  finding.measured = measured;
  finding.output = output;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

io::Json json_of(const std::filesystem::path& path) { return io::Json::parse(text_of(path)).value_or(io::Json()); }

std::string last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::size_t begin = text.rfind('\n');
  return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

}  // namespace amphora::gpu_check
