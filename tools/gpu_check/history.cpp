#include "history.h"

#include <algorithm>

#include <fmt/format.h>

#include "amphora/io/json.h"

namespace amphora::gpu_check {
namespace {

std::string str(const ScaleStep& step) { return fmt::format("{}{}", step.scale, step.skipped ? " skipped" : ""); }

}  // namespace

std::vector<ScaleStep> scale_history(std::string_view lines) {
  std::vector<ScaleStep> history;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const auto json = io::Json::parse(lines.substr(0, end));  // a run that was cut off ends anyhow
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (!json || !json->contains("loss_scale")) continue;
    history.push_back({json->at("loss_scale").number(), json->contains("skipped") && json->at("skipped").flag()});
  }
  return history;
}

std::string difference(const std::vector<ScaleStep>& here, const std::vector<ScaleStep>& there) {
  for (std::size_t i = 0; i < std::min(here.size(), there.size()); ++i) {
    if (here[i] != there[i]) return fmt::format("step {}: {} here, {} there", i + 1, str(here[i]), str(there[i]));
  }
  if (here.size() != there.size()) return fmt::format("the end: {} steps here, {} there", here.size(), there.size());
  return {};
}

}  // namespace amphora::gpu_check
