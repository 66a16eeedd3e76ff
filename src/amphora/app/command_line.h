// CommandLine: the flags of a program. All programs of this project read theirs through it.
//
//   CommandLine line({.program = "devices", .description = "Lists the backends."});
//   line.add_path("--json", json, "FILE", "write the same for programs");
//   if (!line.parse(argc, argv)) return;  // --help was asked for, and answered
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amphora/core/error.h"

// NOLINTNEXTLINE(readability-identifier-naming): the library's own name
namespace CLI {
class Option;
}

namespace amphora::app {

// A command line that cannot be understood; the program then exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

class CommandLine {
 public:
  struct About {
    std::string program;
    std::string description;
    std::string footer = {};  // of --help
  };
  explicit CommandLine(const About& about);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  class Flag {
   public:
    explicit Flag(CLI::Option* option) : option_(option) {}
    bool given() const;                // after parse()
    const Flag& hide_default() const;  // which --help shows otherwise
   private:
    CLI::Option* option_;
  };

  // Takes the text of a value over. Returns what is wrong with it ("'x' is not valid; give a number"), or nothing.
  using Read = std::function<std::string(const std::string& text)>;

  // A flag with a value: `type` is what --help calls the value. One given twice counts as given last, so that a
  // script's flags can be overridden behind it. Targets must outlive the command line, and hold the defaults.
  Flag add(const std::string& name, const Read& read, const std::string& type, const std::string& help,
           const std::string& shown_default = "");
  Flag add_text(const std::string& name, std::string& target, const std::string& type, const std::string& help);
  Flag add_path(const std::string& name, std::string& target, const std::string& type, const std::string& help);
  // A whole number from `low` to `high`.
  Flag add_whole(const std::string& name, int& target, const std::string& type, const std::string& help, int low,
                 int high);
  Flag add_whole(const std::string& name, std::int64_t& target, const std::string& type, const std::string& help,
                 std::int64_t low, std::int64_t high);
  Flag add_whole(const std::string& name, std::uint64_t& target, const std::string& type, const std::string& help,
                 std::uint64_t low, std::uint64_t high);
  // A number that `accept` accepts, which `accepted` describes: "a finite number above 0".
  Flag add_number(const std::string& name, float& target, const std::string& type, const std::string& help,
                  const std::string& accepted, const std::function<bool(float)>& accept);
  // One of `names`; the target becomes the value of its index.
  template <class Enum>
  Flag add_choice(const std::string& name, Enum& target, std::span<const std::string_view> names,
                  const std::string& type, const std::string& help) {
    const auto read = [&target](std::size_t index) { target = static_cast<Enum>(index); };
    return add_index(name, read, static_cast<std::size_t>(target), names, type, help);
  }
  Flag add_choice(const std::string& name, std::string& target, const std::vector<std::string_view>& names,
                  const std::string& type, const std::string& help);
  // Texts with commas between them.
  Flag add_texts(const std::string& name, std::vector<std::string>& target, const std::string& type,
                 const std::string& help);
  // A flag without a value.
  Flag add_switch(const std::string& name, bool& target, const std::string& help);
  // Whole numbers above 0 without a flag: none, or as many as the target holds.
  void add_sizes(const std::string& name, std::vector<int>& target, const std::string& help);

  // Runs after parsing, when all flags are known; what it throws, parse() throws.
  void then(std::function<void()> step) { steps_.push_back(std::move(step)); }

  // False: --help was given, and is printed. Throws UsageError, with a message of one line, for an unknown flag or a
  // value that is not accepted.
  bool parse(std::vector<std::string> arguments);
  bool parse(int argc, char** argv) { return parse({argv + 1, argv + argc}); }
  std::string help() const;

 private:
  Flag add_index(const std::string& name, const std::function<void(std::size_t)>& read, std::size_t shown_default,
                 std::span<const std::string_view> names, const std::string& type, const std::string& help);

  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::vector<std::function<void()>> steps_;
};

// What add_number() may accept: finite numbers above 0, or of at least 0.
bool positive(float value);
bool not_negative(float value);

// Whether all of `text` is a number, which `value` then is; for a Read of one's own.
bool read_number(std::string_view text, float& value);

}  // namespace amphora::app
