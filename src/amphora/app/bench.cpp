#include "amphora/app/bench.h"

#include <algorithm>
#include <numeric>

#include "amphora/app/monitor.h"
#include "amphora/core/error.h"
#include "amphora/io/table.h"

namespace amphora::app {

namespace {

// "simd", or where there are several: "matmul_coopmat_f16 7, matmul 1".
std::string describe(const std::map<std::string, std::uint64_t>& paths, double steps) {
  std::string text;
  for (const auto& [path, launches] : paths) {
    text += text.empty() ? path : ", " + path;
    if (paths.size() > 1) text += fmt::format(" {:g}", static_cast<double>(launches) / steps);
  }
  return text;
}

}  // namespace

void Bench::begin_step(std::int64_t step) {
  if (step == kWarmUp + kTimed) {
    device_.reset_counters();
    device_.set_profiling(true);
  }
  start_ = Clock::now();
}

void Bench::end_step(std::int64_t step) {
  device_.wait();
  const float ms = std::chrono::duration<float, std::milli>(Clock::now() - start_).count();
  if (step >= kWarmUp && step < kWarmUp + kTimed) step_ms_.push_back(ms);
  if (step >= kWarmUp + kTimed) profiled_ms_ += ms;
  if (step + 1 == kSteps) {
    device_.set_profiling(false);
    counters_ = device_.counters();
  }
}

double Bench::median_ms() const { return median(step_ms_); }

std::string Bench::str(std::int64_t items_per_step, const std::string& unit) const {
  const double step = median_ms();
  const auto [fastest, slowest] = std::minmax_element(step_ms_.begin(), step_ms_.end());
  std::string text =
      fmt::format("median step {:.3f} ms of {} (fastest {:.3f}, slowest {:.3f}); {:.0f} {}/s\n\n", step,
                  step_ms_.size(), *fastest, *slowest, 1000.0 * static_cast<double>(items_per_step) / step, unit);
  std::array<std::size_t, kKernelCount> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return counters_.seconds[a] > counters_.seconds[b]; });
  constexpr double kCount = kTimed;
  const double total = profiled_ms_ / kCount;
  std::vector<io::Row> rows{{"kernel", "launches/step", "ms/step", "share", "what ran"}};
  const auto add = [&rows, total](std::string name, std::string launches, double ms, std::string paths = {}) {
    rows.push_back({std::move(name), std::move(launches), fmt::format("{:.3f}", ms),
                    fmt::format("{:.1f} %", 100.0 * ms / total), std::move(paths)});
  };
  double host = total;
  for (const std::size_t id : order) {
    if (counters_.launches[id] == 0) continue;
    const double ms = 1000.0 * counters_.seconds[id] / kCount;
    host -= ms;
    add(std::string(kKernels[id].name), fmt::format("{:g}", static_cast<double>(counters_.launches[id]) / kCount), ms,
        describe(counters_.paths[id], kCount));
  }
  add("host", "", host);
  add("profiled step", "", total);
  return text + io::table(rows, "lrrrl");
}

}  // namespace amphora::app
