#include "amphora/app/sample.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace amphora::app {

std::string description_of(const Sample& sample) {
  std::string text;
  const auto add = [&text](const char* key, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} {}\n", key, value);
  };
  for (const Metric& metric : sample.metrics) {
    add("metric", fmt::format("{} {} {}{}{}", metric.name, metric.max_difference, metric.digits,
                              metric.unit.empty() ? "" : " ", metric.unit));
  }
  add("quick", fmt::format("{}", fmt::join(sample.quick, " ")));
  add("data-package", sample.data.package);
  add("data-folder", sample.data.folder);
  add("data-files", fmt::format("{}", fmt::join(sample.data.names, " ")));
  add("data-instead", fmt::format("{}", fmt::join(sample.data.instead, " ")));
  add("data-advice", sample.data.advice);
  return text;
}

}  // namespace amphora::app
