#include "amphora/app/summary.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "amphora/amp/policy.h"
#include "amphora/core/error.h"
#include "amphora/io/table.h"

namespace amphora::app {

namespace {

constexpr std::size_t kShownAtEachEnd = 3;

std::string mebibytes(std::size_t bytes) { return fmt::format("{:.2f} MiB", static_cast<double>(bytes) / 0x1p20); }

std::string describe(const ScaleChange& change) { return fmt::format("{} at step {}", change.scale, change.step); }

// JSON has no NaN; null says that there is no number.
nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
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
  add("test accuracy", fmt::format("{:.2f} %", summary.test_accuracy));
  add("final loss", fmt::format("{:.4f}", summary.final_loss));
  add("time", fmt::format("{:.2f} s", summary.seconds));
  add("images/s", fmt::format("{:.0f}", summary.items_per_second));
  add("median step", fmt::format("{:.2f} ms", summary.median_step_ms));
  add("precision", fmt::format("{} (masters/products/losses/gradients {})", name_of(summary.precision),
                               amp::policy_of(summary.precision).str()));
  add("loss scale", describe(summary.loss_scales));
  if (summary.scaled) add("skipped steps", fmt::format("{} of {}", summary.skipped_steps, summary.steps));
  add("memory", fmt::format("{} at its peak", mebibytes(summary.peak_bytes)));
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    std::string name(amphora::name_of(static_cast<MemoryKind>(kind)));
    std::replace(name.begin(), name.end(), '_', ' ');
    add("  " + name, mebibytes(summary.memory_bytes[static_cast<std::size_t>(kind)]));
  }
  return io::table(rows, "ll");
}

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json memory;
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    memory[std::string(amphora::name_of(static_cast<MemoryKind>(kind)))] =
        summary.memory_bytes[static_cast<std::size_t>(kind)];
  }
  memory["peak"] = summary.peak_bytes;
  const nlohmann::ordered_json json = {{"test_accuracy", number(summary.test_accuracy)},
                                       {"final_loss", number(summary.final_loss)},
                                       {"seconds", number(summary.seconds)},
                                       {"items_per_second", number(summary.items_per_second)},
                                       {"median_step_ms", number(summary.median_step_ms)},
                                       {"loss_scale", number(summary.loss_scale())},
                                       {"skipped_steps", summary.skipped_steps},
                                       {"backend", summary.backend},
                                       {"device", summary.device},
                                       {"precision", name_of(summary.precision)},
                                       {"seed", summary.seed},
                                       {"memory_bytes", memory}};
  return json.dump(2) + '\n';
}

}  // namespace amphora::app
