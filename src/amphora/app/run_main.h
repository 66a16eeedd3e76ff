// What a program's main() does around its work.
#pragma once

#include <functional>
#include <string>

#include "amphora/app/sample.h"
#include "amphora/app/training_options.h"

namespace amphora::app {

// Calls `body` and turns exceptions into one line on stderr. The exit code: 0, or 1 when something failed, or 2 for a
// wrong command line.
int run_reporting_errors(const std::string& program, const std::function<void()>& body);

// Whether the program is asked for its description_of(), and printed it.
bool answers_describe(const Sample& sample, int argc, char** argv);

// The same around a sample's training. Options: TrainingOptions, or what derives from it.
template <class Options>
int run_main(int argc, char** argv, const std::function<void(const Options&)>& body) {
  Options options;
  return run_reporting_errors(options.sample.name, [&] {
    if (answers_describe(options.sample, argc, argv)) return;
    CommandLine line(about(options.sample));
    options.add_flags(line);
    if (line.parse(argc, argv)) body(options);
  });
}

}  // namespace amphora::app
