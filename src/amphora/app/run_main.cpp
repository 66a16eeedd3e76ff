#include "amphora/app/run_main.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

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

bool answers_describe(const Sample& sample, int argc, char** argv) {
  if (argc != 2 || std::string_view(argv[1]) != "--describe") return false;
  fmt::print("{}", description_of(sample));
  return true;
}

}  // namespace amphora::app
