#include "amphora/app/training_options.h"

#include <array>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "amphora/app/optimizers.h"
#include "amphora/device/registry.h"

namespace amphora::app {

namespace {

constexpr std::array<std::string_view, 4> kPrecisions{"f32", "tf32", "f16", "bf16"};
constexpr std::array<std::string_view, 4> kPlanFormats{"text", "dump", "dot", "chrome"};
constexpr int kMaxThreads = 1024;

std::vector<std::string_view> backend_choices() {
  std::vector<std::string_view> names{"auto"};
  for (const Backend& backend : backends()) names.push_back(backend.name);
  return names;
}

std::vector<std::string_view> optimizer_choices() {
  std::vector<std::string_view> names;
  for (const OptimizerRow& row : optimizers()) names.push_back(row.name);
  return names;
}

// "sgd (momentum 0.9), adam, or adamw (weight decay 0.01)"
std::string optimizer_help() {
  std::string text;
  const auto rows = optimizers();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == rows.size() ? ", or " : ", ", rows[i].help);
  }
  return text;
}

// "0.001; sgd: 0.05"
std::string rates_help(float usual) {
  std::string text = fmt::format("{}", usual);
  for (const OptimizerRow& row : optimizers()) {
    if (row.lr != usual) text += fmt::format("; {}: {}", row.name, row.lr);
  }
  return text;
}

}  // namespace

CommandLine::About about(const Sample& sample) {
  std::string metrics;
  for (const Metric& metric : sample.metrics) {
    metrics += metric.meaning.empty() ? metric.name + ", " : fmt::format("{} ({}), ", metric.name, metric.meaning);
  }
  return {.program = sample.name,
          .description =
              fmt::format("Trains {} in mixed precision: f32 masters, gradients and optimizer state, products in\n"
                          "--precision, the loss scaled so that small gradients survive in f16.",
                          sample.name),
          .footer = "The summary's keys: " + metrics +
                    "final_loss (mean over the last epoch), seconds (of training),\n"
                    "items_per_second, median_step_ms, loss_scale (at the end; 1: none), skipped_steps, backend, "
                    "device,\n"
                    "precision, seed, memory_bytes (by kind, and peak).\n"
                    "Exit code: 0 done, 1 something failed, 2 the command line is wrong.\n"};
}

void TrainingOptions::add_flags(CommandLine& line) {
  add_machine_flags(line);
  add_training_flags(line);
}

void TrainingOptions::add_machine_flags(CommandLine& line) {
  line.add_choice("--backend", backend, backend_choices(), "NAME",
                  "auto, cpu, vulkan, cuda; null counts kernels, for tests");
  line.add_path("--device", device, "INDEX|NAME",
                "of a backend that finds several: see ./run devices; a part of the name is enough");
  line.add_choice("--precision", precision, kPrecisions, "TYPE", "f32, tf32, f16 or bf16: the type of products");
  line.add_whole("--threads", threads, "N", "of the cpu backend; one for each core unless given", 1, kMaxThreads)
      .hide_default();
}

void TrainingOptions::add_training_flags(CommandLine& line) {
  add_recipe_flags(line);
  add_scaler_flags(line);
  add_output_flags(line);
  add_mode_flags(line);
}

void TrainingOptions::add_recipe_flags(CommandLine& line) {
  constexpr std::int64_t kMany = std::numeric_limits<std::int32_t>::max();
  line.add_whole("--epochs", epochs, "N", fmt::format("passes over the training {}", sample.items), 0, 1'000'000);
  line.add_whole("--batch-size", batch_size, "N", fmt::format("{} a batch", sample.items), 1, kMany);
  line.add_whole("--accumulate", accumulate, "N", "batches that make one step", 1, 1'000'000);
  const CommandLine::Flag chosen =
      line.add_choice("--optimizer", optimizer, optimizer_choices(), "NAME", optimizer_help());
  const CommandLine::Flag rate =
      line.add_number("--lr", lr, "RATE",
                      fmt::format("peak learning rate; warm-up, then half a cosine [{}]", rates_help(lr)),
                      "a finite number of at least 0", not_negative)
          .hide_default();
  line.add_number("--clip-norm", clip_norm, "NORM", "largest norm of all gradients together; 0: any",
                  "a finite number of at least 0", not_negative);
  line.add_number("--ema", ema, "DECAY", "test the moving average of the weights with this decay; 0: the weights",
                  "a number of at least 0 and below 1", [](float x) { return x >= 0.0f && x < 1.0f; });
  line.add_whole("--seed", seed, "N", fmt::format("of initial weights and of the order of {}", sample.items), 0,
                 std::numeric_limits<std::uint64_t>::max());
  line.then([this, chosen, rate] {
    if (chosen.given() && !rate.given()) lr = optimizer_named(optimizer).lr;
  });
}

void TrainingOptions::add_scaler_flags(CommandLine& line) {
  // What it means depends on --precision and --init-scale.
  const auto scale = std::make_shared<std::string>();
  const auto read_scale = [scale](const std::string& text) {
    float value = 0.0f;
    if (text != "dynamic" && text != "none" && !(read_number(text, value) && positive(value))) {
      return fmt::format("'{}' is not valid; give 'dynamic', 'none', or a finite number above 0", text);
    }
    *scale = text;
    return std::string();
  };
  line.add("--loss-scale", read_scale, "SCALE", "dynamic, none, or a number that stays; [dynamic for f16, else none]");
  line.add_number("--init-scale", scaler.init_scale, "SCALE", "the first dynamic loss scale", "a finite number above 0",
                  positive);
  line.add_whole("--growth-interval", scaler.growth_interval, "N", "steps without overflow until the scale doubles", 1,
                 std::numeric_limits<int>::max());
  line.then([this, scale] {
    scaler.enabled = scale->empty() ? precision == Precision::f16 : *scale != "none";
    scaler.dynamic = scale->empty() || *scale == "dynamic";
    if (scaler.enabled && !scaler.dynamic) read_number(*scale, scaler.init_scale);
    if (scaler.init_scale < scaler.min_scale) scaler.min_scale = scaler.init_scale;
  });
}

void TrainingOptions::add_output_flags(CommandLine& line) {
  line.add_path("--log", log, "FILE.jsonl",
                "write a line a step: step, epoch, loss, loss_scale, skipped, lr; replaces the file");
  line.add_path("--summary", summary, "FILE.json", "write the result as JSON");
  line.add_switch("--quiet", quiet, "print nothing but errors");
}

void TrainingOptions::add_mode_flags(CommandLine& line) {
  struct Modes {
    bool explain = false;
    bool bench = false;
    bool plan = false;
  };
  const auto modes = std::make_shared<Modes>();
  line.add_switch("--explain", modes->explain, "print each op of one step, and its types");
  line.add_switch("--bench", modes->bench, "print a step's time (median of 50), and each kernel's share");
  line.add_switch("--plan", modes->plan, "print the recorded step: its calls, what they cost, its memory");
  line.add_choice("--format", plan_format, kPlanFormats, "FORMAT",
                  "of --plan: text, dump (to diff), dot (for Graphviz), or chrome (for chrome://tracing and Perfetto)");
  line.add_switch("--fuse", fuse, "recorded steps fuse epilogues into products, which leaves out roundings");
  line.add_switch("--profile", profile, "with --plan: time each call, and tell its share of the roofline");
  line.then([this, modes] {
    if (int{modes->explain} + int{modes->bench} + int{modes->plan} > 1) {
      throw UsageError("--explain, --bench and --plan exclude each other; give one of them");
    }
    if (profile && !modes->plan) throw UsageError("--profile needs --plan: it times the recorded step's calls");
    if (modes->explain) mode = Mode::explain;
    if (modes->bench) mode = Mode::bench;
    if (modes->plan) mode = Mode::plan;
  });
}

}  // namespace amphora::app
