#include "amphora/app/run_main.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>
#include <vector>

namespace amphora::app {

namespace {

int report(const std::string& program, std::string_view message, int code) {
  // One line, whatever the message holds.
  std::string line(message);
  std::replace(line.begin(), line.end(), '\n', ' ');
  fmt::print(stderr, "{}: error: {}\n", program, line);
  return code;
}

}  // namespace

int run_reporting_errors(const std::string& program, const std::function<void()>& body) {
  try {
    body();
    if (std::fflush(stdout) != 0) return report(program, "cannot write to the standard output", 1);
    return 0;
  } catch (const UsageError& error) {
    return report(program, error.what(), 2);
  } catch (const std::bad_alloc&) {
    return report(program, "out of memory on the host; use a smaller --batch-size, or --accumulate", 1);
  } catch (const std::exception& error) {
    return report(program, error.what(), 1);
  }
}

int run_main(const std::string& program, int argc, char** argv, const std::function<void(const Options&)>& body) {
  return run_reporting_errors(program, [&] {
    const Options options = parse_options(program, {argv + 1, argv + argc});
    if (!options.help.empty()) {
      fmt::print("{}", options.help);
      return;
    }
    body(options);
  });
}

}  // namespace amphora::app
