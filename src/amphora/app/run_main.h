// What a sample's main() does around the training.
#pragma once

#include <functional>
#include <string>

#include "amphora/app/options.h"

namespace amphora::app {

// Parses the command line, calls `body`, and turns exceptions into one line on stderr. The exit code: 0, or 1 when
// something failed, or 2 for a wrong command line.
int run_main(const std::string& program, int argc, char** argv, const std::function<void(const Options&)>& body);

// The same around any function.
int run_reporting_errors(const std::string& program, const std::function<void()>& body);

}  // namespace amphora::app
