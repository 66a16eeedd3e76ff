#include "amphora/app/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include <CLI/CLI.hpp>

namespace amphora::app {

namespace {

template <class T>
bool read_all(std::string_view text, T& value) {
  T read{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  value = read;
  return true;
}

// `accept` tells whether a number is one that the flag takes; the target is left alone where it is not.
template <class T, class Accept>
CommandLine::Read number_reader(T& target, const std::string& accepted, Accept accept) {
  return [&target, accepted, accept = std::move(accept)](const std::string& text) {
    T value{};
    if (!read_all(text, value) || !accept(value)) return fmt::format("'{}' is not valid; give {}", text, accepted);
    target = value;
    return std::string();
  };
}

template <class T>
CommandLine::Read whole_reader(T& target, T low, T high) {
  return number_reader(target, fmt::format("a whole number from {} to {}", low, high),
                       [=](T value) { return value >= low && value <= high; });
}

}  // namespace

struct CommandLine::Parser {
  explicit Parser(const About& about) : app(about.description, about.program) { app.footer(about.footer); }
  CLI::App app;
};

CommandLine::CommandLine(const About& about) : parser_(std::make_unique<Parser>(about)) {}
CommandLine::~CommandLine() = default;

bool CommandLine::Flag::given() const { return option_->count() > 0; }

const CommandLine::Flag& CommandLine::Flag::hide_default() const {
  option_->default_str("");
  return *this;
}

CommandLine::Flag CommandLine::add(const std::string& name, const Read& read, const std::string& type,
                                   const std::string& help, const std::string& shown_default) {
  // CLI11 shows a validator's text behind the flag's name: "--epochs: 'x' is not ...". An empty one accepts.
  const CLI::Validator validator([read](std::string& text) { return read(text); }, "");
  CLI::Option* option = parser_->app.add_option(
      name, [](const CLI::results_t&) { return true; }, help);
  option->type_name(type)->check(validator)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->default_str(shown_default);
  return Flag(option);
}

CommandLine::Flag CommandLine::add_text(const std::string& name, std::string& target, const std::string& type,
                                        const std::string& help) {
  const auto read = [&target](const std::string& text) {
    target = text;
    return std::string();
  };
  return add(name, read, type, help, target);
}

CommandLine::Flag CommandLine::add_path(const std::string& name, std::string& target, const std::string& type,
                                        const std::string& help) {
  const auto read = [&target](const std::string& text) {
    target = text;
    return std::string(text.empty() ? "the name is empty" : "");
  };
  return add(name, read, type, help, target);
}

CommandLine::Flag CommandLine::add_whole(const std::string& name, int& target, const std::string& type,
                                         const std::string& help, int low, int high) {
  return add(name, whole_reader(target, low, high), type, help, std::to_string(target));
}

CommandLine::Flag CommandLine::add_whole(const std::string& name, std::int64_t& target, const std::string& type,
                                         const std::string& help, std::int64_t low, std::int64_t high) {
  return add(name, whole_reader(target, low, high), type, help, std::to_string(target));
}

CommandLine::Flag CommandLine::add_whole(const std::string& name, std::uint64_t& target, const std::string& type,
                                         const std::string& help, std::uint64_t low, std::uint64_t high) {
  return add(name, whole_reader(target, low, high), type, help, std::to_string(target));
}

CommandLine::Flag CommandLine::add_number(const std::string& name, float& target, const std::string& type,
                                          const std::string& help, const std::string& accepted,
                                          const std::function<bool(float)>& accept) {
  return add(name, number_reader(target, accepted, accept), type, help, fmt::format("{}", target));
}

CommandLine::Flag CommandLine::add_index(const std::string& name, const std::function<void(std::size_t)>& read,
                                         std::size_t shown_default, std::span<const std::string_view> names,
                                         const std::string& type, const std::string& help) {
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto read_name = [read, known](const std::string& text) {
    const auto found = std::find(known.begin(), known.end(), text);
    if (found == known.end()) return fmt::format("'{}' is not valid; give one of {}", text, fmt::join(known, ", "));
    read(static_cast<std::size_t>(found - known.begin()));
    return std::string();
  };
  return add(name, read_name, type, help, shown_default < known.size() ? std::string(known[shown_default]) : "");
}

CommandLine::Flag CommandLine::add_choice(const std::string& name, std::string& target,
                                          const std::vector<std::string_view>& names, const std::string& type,
                                          const std::string& help) {
  const auto index = static_cast<std::size_t>(std::find(names.begin(), names.end(), target) - names.begin());
  return add_index(
      name, [&target, names](std::size_t i) { target = names[i]; }, index, names, type, help);
}

CommandLine::Flag CommandLine::add_texts(const std::string& name, std::vector<std::string>& target,
                                         const std::string& type, const std::string& help) {
  CLI::Option* option = parser_->app.add_option(name, target, help)->delimiter(',')->type_name(type);
  return Flag(option->capture_default_str());
}

CommandLine::Flag CommandLine::add_switch(const std::string& name, bool& target, const std::string& help) {
  return Flag(parser_->app.add_flag(name, target, help));
}

void CommandLine::add_sizes(const std::string& name, std::vector<int>& target, const std::string& help) {
  parser_->app.add_option(name, target, help)
      ->expected(static_cast<int>(target.size()))
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

bool CommandLine::parse(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    parser_->app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", help());
    return false;
  } catch (const CLI::ParseError& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw UsageError(fmt::format("{} (see --help)", text));
  }
  for (const auto& step : steps_) step();
  return true;
}

std::string CommandLine::help() const { return parser_->app.help(); }

bool positive(float value) { return std::isfinite(value) && value > 0.0f; }
bool not_negative(float value) { return std::isfinite(value) && value >= 0.0f; }

bool read_number(std::string_view text, float& value) { return read_all(text, value); }

}  // namespace amphora::app
