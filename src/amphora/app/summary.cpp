#include "amphora/app/summary.h"

#include <algorithm>

#include "amphora/amp/policy.h"
#include "amphora/core/error.h"
#include "amphora/io/json.h"
#include "amphora/io/table.h"

namespace amphora::app {

namespace {

constexpr std::size_t kShownAtEachEnd = 3;

std::string mebibytes(std::size_t bytes) { return fmt::format("{:.2f} MiB", static_cast<double>(bytes) / 0x1p20); }

std::string describe(const ScaleChange& change) { return fmt::format("{} at step {}", change.scale, change.step); }

std::string with_blanks(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

}  // namespace

void add_memory(Summary& summary, const MemoryUse& use) {
  summary.memory_bytes = use.current;
  for (const MemoryKind kind : {MemoryKind::activations, MemoryKind::inputs}) {
    const auto index = static_cast<std::size_t>(kind);
    summary.memory_bytes[index] = use.peak[index];
  }
  summary.peak_bytes = use.peak_total;
}

std::vector<MetricValue> match(const std::vector<Metric>& declared, const Metrics& measured) {
  std::vector<MetricValue> values;
  for (const Metric& metric : declared) {
    const auto found = std::find_if(measured.begin(), measured.end(),
                                    [&metric](const auto& pair) { return pair.first == metric.name; });
    require(found != measured.end(), "the evaluation gives no metric '{}', which the sample declares", metric.name);
    values.push_back({metric, found->second});
  }
  require(values.size() == measured.size(), "the evaluation gives {} metrics, but the sample declares {}",
          measured.size(), values.size());
  return values;
}

std::string describe(const std::vector<ScaleChange>& changes) {
  if (changes.empty()) return "none";
  std::string text = fmt::format("{}", changes.front().scale);
  for (std::size_t i = 1; i < changes.size(); ++i) {
    const std::size_t left = changes.size() - i;
    if (i > kShownAtEachEnd && left > kShownAtEachEnd) {
      text += fmt::format(" -> ({} changes)", left - kShownAtEachEnd);
      i = changes.size() - kShownAtEachEnd;
    }
    text += " -> " + describe(changes[i]);
  }
  return text;
}

std::string to_text(const Summary& summary) {
  std::vector<io::Row> rows;
  const auto add = [&rows](std::string name, std::string value) {
    rows.push_back({"  " + std::move(name), std::move(value)});
  };
  for (const auto& [metric, value] : summary.metrics) {
    add(with_blanks(metric.name),
        fmt::format("{:.{}f}{}{}", value, metric.digits, metric.unit.empty() ? "" : " ", metric.unit));
  }
  add("final loss", fmt::format("{:.4f}", summary.final_loss));
  add("time", fmt::format("{:.2f} s", summary.seconds));
  add(summary.unit + "/s", fmt::format("{:.0f}", summary.items_per_second));
  add("median step", fmt::format("{:.2f} ms", summary.median_step_ms));
  add("precision", fmt::format("{} (masters/products/losses/gradients {})", name_of(summary.precision),
                               amp::policy_of(summary.precision).str()));
  add("loss scale", describe(summary.loss_scales));
  if (summary.scaled) add("skipped steps", fmt::format("{} of {}", summary.skipped_steps, summary.steps));
  add("memory", fmt::format("{} at its peak", mebibytes(summary.peak_bytes)));
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    const std::string_view name = amphora::name_of(static_cast<MemoryKind>(kind));
    add("  " + with_blanks(name), mebibytes(summary.memory_bytes[static_cast<std::size_t>(kind)]));
  }
  return io::table(rows, "ll");
}

std::string to_json(const Summary& summary) {
  io::Json memory;
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    memory[amphora::name_of(static_cast<MemoryKind>(kind))] = summary.memory_bytes[static_cast<std::size_t>(kind)];
  }
  memory["peak"] = summary.peak_bytes;
  io::Json json;
  for (const auto& [metric, value] : summary.metrics) json[metric.name] = value;
  json["final_loss"] = summary.final_loss;
  json["seconds"] = summary.seconds;
  json["items_per_second"] = summary.items_per_second;
  json["median_step_ms"] = summary.median_step_ms;
  json["loss_scale"] = summary.loss_scale();
  json["skipped_steps"] = summary.skipped_steps;
  json["backend"] = summary.backend;
  json["device"] = summary.device;
  json["precision"] = name_of(summary.precision);
  json["seed"] = summary.seed;
  json["memory_bytes"] = memory;
  return json.dump(2) + '\n';
}

}  // namespace amphora::app
