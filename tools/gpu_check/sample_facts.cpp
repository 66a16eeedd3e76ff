#include "sample_facts.h"

#include <sstream>

#include <fmt/format.h>

namespace amphora::gpu_check {

std::string MetricFacts::str(double value) const {
  return fmt::format("{:.{}f}{}{}", value, digits, unit.empty() ? "" : " ", unit);
}

std::string MetricFacts::difference(double value) const { return fmt::format("{:+.{}f}", value, digits); }

SampleFacts sample_facts(std::string_view text) {
  SampleFacts facts;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "metric") {
      MetricFacts metric;
      if (words >> metric.name >> metric.max_difference >> metric.digits) {
        words >> metric.unit;  // may be missing
        facts.metrics.push_back(metric);
      }
    } else if (key == "quick") {
      for (std::string word; words >> word;) facts.quick.push_back(word);
    }
  }
  return facts;
}

}  // namespace amphora::gpu_check
