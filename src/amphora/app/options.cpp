#include "amphora/app/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

#include "amphora/device/registry.h"

namespace amphora::app {

namespace {

// CLI11 shows a check's text behind the flag's name: "--epochs: 'x' is not ...". An empty text accepts.
using Check = std::function<std::string(const std::string& text)>;

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
Check whole_number(T low, T high) {
  return [=](const std::string& text) {
    const auto value = parse_number<T>(text);
    if (value && *value >= low && *value <= high) return std::string();
    return fmt::format("'{}' is not valid; give a whole number from {} to {}", text, low, high);
  };
}

// `describe` says what is accepted: "a finite number above 0".
template <class Accept>
Check number(const std::string& describe, Accept accept) {
  return [=](const std::string& text) {
    const auto value = parse_number<float>(text);
    if (value && accept(*value)) return std::string();
    return fmt::format("'{}' is not valid; give {}", text, describe);
  };
}

Check one_of(const std::vector<std::string>& names) {
  return [=](const std::string& text) {
    if (std::find(names.begin(), names.end(), text) != names.end()) return std::string();
    return fmt::format("'{}' is not valid; give one of {}", text, fmt::join(names, ", "));
  };
}

std::vector<std::string> backend_choices() {
  std::vector<std::string> names{"auto"};
  for (const Backend& backend : backends()) names.emplace_back(backend.name);
  return names;
}

bool positive(float value) { return std::isfinite(value) && value > 0.0f; }
bool not_negative(float value) { return std::isfinite(value) && value >= 0.0f; }

std::string check_loss_scale(const std::string& text) {
  if (text == "dynamic" || text == "none") return {};
  return number("'dynamic', 'none', or a finite number above 0", positive)(text);
}

template <class Enum, std::size_t kCount>
Enum enum_of(const std::string& text, const std::array<std::string_view, kCount>& names) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), text) - names.begin());
}

constexpr std::array<std::string_view, 4> kPrecisions{"f32", "tf32", "f16", "bf16"};
constexpr std::array<std::string_view, 3> kOptimizers{"sgd", "adam", "adamw"};
constexpr std::array<std::string_view, 4> kPlanFormats{"text", "dump", "dot", "chrome"};

// What some flags mean depends on others, so these wait until all are known.
struct Texts {
  std::string precision = "f16";
  std::string optimizer = "adamw";
  std::string loss_scale;
  std::string plan_format = "text";
  bool explain = false;
  bool bench = false;
  bool plan = false;
};

constexpr int kMaxThreads = 1024;

class Parser {
 public:
  explicit Parser(Options& options) : options_(options), app_("", options.program) {
    app_.description(
        fmt::format("Trains {} in mixed precision: f32 masters, gradients and optimizer state, products in\n"
                    "--precision, the loss scaled so that small gradients survive in f16.",
                    options.program));
    app_.footer(
        "The summary's keys: test_accuracy (percent), final_loss (mean over the last epoch), seconds (of training),\n"
        "items_per_second, median_step_ms, loss_scale (at the end; 1: none), skipped_steps, backend, device,\n"
        "precision, seed, memory_bytes (by kind, and peak).\n"
        "Exit code: 0 done, 1 something failed, 2 the command line is wrong.\n");
    add_machine_flags();
    add_recipe_flags();
    add_scaler_flags();
    add_output_flags();
  }

  void parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      app_.parse(arguments);
    } catch (const CLI::CallForHelp&) {
      options_.help = app_.help();
      return;
    } catch (const CLI::ParseError& error) {
      std::string text = error.what();
      std::replace(text.begin(), text.end(), '\n', ' ');
      throw UsageError(fmt::format("{} (see --help)", text));
    }
    finish();
  }

 private:
  template <class T>
  CLI::Option* add(const std::string& flag, T& target, const std::string& type, const std::string& help, Check check) {
    const CLI::Validator validator([check](std::string& text) { return check(text); }, "");
    // A flag given twice counts as given last, so that a script's flags can be overridden behind it.
    return app_.add_option(flag, target, help)
        ->type_name(type)
        ->check(validator)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->capture_default_str();
  }

  void add_path(const std::string& flag, std::string& target, const std::string& type, const std::string& help) {
    const Check not_empty = [](const std::string& text) { return text.empty() ? "the name is empty" : ""; };
    add(flag, target, type, help, not_empty);
  }

  void add_machine_flags() {
    add("--backend", options_.backend, "NAME", "auto, cpu, vulkan, cuda; null counts kernels, for tests",
        one_of(backend_choices()));
    add_path("--device", options_.device, "INDEX|NAME",
             "of a backend that finds several: see ./run devices; a part of the name is enough");
    add("--precision", texts_.precision, "TYPE", "f32, tf32, f16 or bf16: the type of products",
        one_of({kPrecisions.begin(), kPrecisions.end()}));
    threads_ = add("--threads", options_.threads, "N", "of the cpu backend; one for each core unless given",
                   whole_number(1, kMaxThreads));
    threads_->default_str("");
    add_path("--data", options_.data, "DIR",
             "the folder with the four Fashion-MNIST files, gzipped or not; else AMPHORA_DATA,\n"
             "else /usr/share/datasets/fashion-mnist");
  }

  void add_recipe_flags() {
    constexpr std::int64_t kMany = std::numeric_limits<std::int32_t>::max();
    add("--epochs", options_.epochs, "N", "passes over the training images", whole_number<std::int64_t>(0, 1'000'000));
    add("--batch-size", options_.batch_size, "N", "images a batch", whole_number<std::int64_t>(1, kMany));
    add("--accumulate", options_.accumulate, "N", "batches that make one step",
        whole_number<std::int64_t>(1, 1'000'000));
    add("--optimizer", texts_.optimizer, "NAME", "sgd (momentum 0.9), adam, or adamw (weight decay 0.01)",
        one_of({kOptimizers.begin(), kOptimizers.end()}));
    lr_ = add("--lr", options_.lr, "RATE", "peak learning rate; warm-up, then half a cosine [0.001; sgd: 0.05]",
              number("a finite number of at least 0", not_negative));
    lr_->default_str("");
    add("--clip-norm", options_.clip_norm, "NORM", "largest norm of all gradients together; 0: any",
        number("a finite number of at least 0", not_negative));
    add("--ema", options_.ema, "DECAY", "test the moving average of the weights with this decay; 0: the weights",
        number("a number of at least 0 and below 1", [](float x) { return x >= 0.0f && x < 1.0f; }));
    add("--seed", options_.seed, "N", "of initial weights and of the order of images",
        whole_number<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max()));
  }

  void add_scaler_flags() {
    add("--loss-scale", texts_.loss_scale, "SCALE",
        "dynamic, none, or a number that stays; [dynamic for f16, else none]", check_loss_scale)
        ->default_str("");
    add("--init-scale", options_.scaler.init_scale, "SCALE", "the first dynamic loss scale",
        number("a finite number above 0", positive));
    add("--growth-interval", options_.scaler.growth_interval, "N", "steps without overflow until the scale doubles",
        whole_number(1, std::numeric_limits<int>::max()));
  }

  void add_output_flags() {
    add_path("--log", options_.log, "FILE.jsonl",
             "write a line a step: step, epoch, loss, loss_scale, skipped, lr; replaces the file");
    add_path("--summary", options_.summary, "FILE.json", "write the result as JSON");
    app_.add_flag("--quiet", options_.quiet, "print nothing but errors");
    app_.add_flag("--explain", texts_.explain, "print each op of one step, and its types");
    app_.add_flag("--bench", texts_.bench, "print a step's time (median of 50), and each kernel's share");
    app_.add_flag("--plan", texts_.plan, "print the recorded step: its calls, what they cost, its memory");
    add("--format", texts_.plan_format, "FORMAT",
        "of --plan: text, dump (to diff), dot (for Graphviz), or chrome (for chrome://tracing and Perfetto)",
        one_of({kPlanFormats.begin(), kPlanFormats.end()}));
    app_.add_flag("--fuse", options_.fuse, "recorded steps fuse epilogues into products, which leaves out roundings");
    app_.add_flag("--profile", options_.profile, "with --plan: time each call, and tell its share of the roofline");
  }

  void finish() {
    if (int{texts_.explain} + int{texts_.bench} + int{texts_.plan} > 1) {
      throw UsageError("--explain, --bench and --plan exclude each other; give one of them");
    }
    if (options_.profile && !texts_.plan)
      throw UsageError("--profile needs --plan: it times the recorded step's calls");
    if (texts_.explain) options_.mode = Mode::explain;
    if (texts_.bench) options_.mode = Mode::bench;
    if (texts_.plan) options_.mode = Mode::plan;
    options_.plan_format = enum_of<PlanFormat>(texts_.plan_format, kPlanFormats);
    options_.precision = enum_of<Precision>(texts_.precision, kPrecisions);
    options_.optimizer = enum_of<OptimizerKind>(texts_.optimizer, kOptimizers);
    if (lr_->count() == 0 && options_.optimizer == OptimizerKind::sgd) options_.lr = 0.05f;
    amp::GradScalerOptions& scaler = options_.scaler;
    const std::string& scale = texts_.loss_scale;
    if (scale.empty()) {
      scaler.enabled = options_.precision == Precision::f16;
    } else {
      scaler.enabled = scale != "none";
      scaler.dynamic = scale == "dynamic";
    }
    if (scaler.enabled && !scaler.dynamic) scaler.init_scale = *parse_number<float>(scale);
    if (scaler.init_scale < scaler.min_scale) scaler.min_scale = scaler.init_scale;
  }

  Options& options_;
  Texts texts_;
  CLI::App app_;
  CLI::Option* lr_ = nullptr;
  CLI::Option* threads_ = nullptr;
};

}  // namespace

Options parse_options(const std::string& program, const std::vector<std::string>& arguments) {
  Options options;
  options.program = program;
  Parser(options).parse(arguments);
  return options;
}

}  // namespace amphora::app
