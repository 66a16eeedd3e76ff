// What a sample says of itself by --describe: its metrics, and how to run it quickly.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace amphora::gpu_check {

struct MetricFacts {
  std::string name;             // "test_accuracy": a key of the sample's summary
  double max_difference = 0.0;  // between the means of a backend and of the cpu backend
  int digits = 2;               // behind the point
  std::string unit = {};        // "%"

  std::string str(double value) const;         // "89.25 %"
  std::string difference(double value) const;  // "+0.12"
};

struct SampleFacts {
  std::vector<MetricFacts> metrics = {};
  std::vector<std::string> quick = {};  // flags
};

// From the lines that app::description_of() makes; others are passed over.
SampleFacts sample_facts(std::string_view text);

}  // namespace amphora::gpu_check
