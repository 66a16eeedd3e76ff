#include "amphora/app/plan_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "amphora/app/roofline.h"
#include "amphora/core/error.h"
#include "amphora/io/json.h"
#include "amphora/io/table.h"
#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"
#include "amphora/plan/dump.h"
#include "amphora/plan/memory.h"

namespace amphora::app {

namespace {

constexpr int kProfiledSteps = 5;

using Times = std::vector<CallTime>;

// "f16 f16 -> f16".
std::string types_of(const plan::PlannedCall& planned) {
  std::string in;
  std::string out;
  const KernelCall& call = planned.call;
  for (int i = 0; i < call.buffer_count; ++i) {
    const Use use = use_of(call, i, planned.values[static_cast<std::size_t>(i)] != plan::kNoValue);
    const std::optional<DType> type = type_of(call, i);
    const std::string name(type ? name_of(*type) : "state");
    if (reads(use)) in += (in.empty() ? "" : " ") + name;
    if (writes(use)) out += (out.empty() ? "" : " ") + name;
  }
  return in.empty() ? out : fmt::format("{} -> {}", in, out);
}

std::string amount(double value) {
  constexpr std::string_view kUnits[] = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  for (; value >= 1000.0 && unit + 1 < std::size(kUnits); ++unit) value /= 1000.0;
  return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f} {}", value, kUnits[unit]);
}

std::string share(const CallTime& time) { return fmt::format("{:.0f} %", 100.0 * time.bound / time.seconds); }

std::string calls_as_table(const plan::Plan& plan, const Times& times) {
  std::vector<io::Row> rows{{"#", "call", "types", "bytes", "operations", "from"}};
  if (!times.empty()) rows.front().insert(rows.front().end() - 1, {"us", "roofline"});
  Cost total;
  double seconds = 0.0;
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const plan::PlannedCall& call = plan.calls[i];
    const Cost cost = cost_of(call.call);
    total.bytes += cost.bytes;
    total.flops += cost.flops;
    io::Row row{std::to_string(i), describe_shapes(call.call), types_of(call), amount(cost.bytes), amount(cost.flops)};
    if (!times.empty()) {
      seconds += times[i].seconds;
      row.push_back(fmt::format("{:.1f}", 1e6 * times[i].seconds));
      row.push_back(share(times[i]));
    }
    row.push_back(plan::describe_place(call));
    rows.push_back(row);
  }
  io::Row sum{"", "all", "", amount(total.bytes), amount(total.flops)};
  if (!times.empty()) {
    sum.push_back(fmt::format("{:.1f}", 1e6 * seconds));
    sum.emplace_back();
  }
  sum.emplace_back();
  rows.push_back(sum);
  return io::table(rows, times.empty() ? "rllrrl" : "rllrrrrl");
}

// Where each value lies and when: by place, then by time.
std::string memory_map(const train::StepPlan& step) {
  const std::vector<plan::Life>& lives = step.memory->lives;
  std::vector<std::size_t> order;
  for (std::size_t value = 0; value < lives.size(); ++value) {
    if (step.memory->offsets[value] != plan::kNowhere) order.push_back(value);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(step.memory->offsets[a], lives[a].first) < std::pair(step.memory->offsets[b], lives[b].first);
  });
  std::vector<io::Row> rows{{"at", "bytes", "calls", "value", "made by"}};
  for (const std::size_t value : order) {
    const plan::PlannedCall& maker = step.plan->calls[static_cast<std::size_t>(lives[value].first)];
    rows.push_back({std::to_string(step.memory->offsets[value]), std::to_string(step.plan->values[value].bytes),
                    fmt::format("{}-{}", lives[value].first, lives[value].last), fmt::format("%{}", value),
                    describe_shapes(maker.call)});
  }
  return io::table(rows, "rrrll");
}

std::string as_text(const train::StepPlan& step, const Times& times) {
  const std::string passes = plan::describe(*step.passes);
  return fmt::format("step on {}: {} calls, plan {:016x}\n{}\n{}\n{}\nthe arena, by place and time:\n{}", step.mode,
                     step.plan->calls.size(), plan::hash(*step.plan), passes, calls_as_table(*step.plan, times),
                     plan::describe(*step.plan, *step.memory), memory_map(step));
}

// Which call has written which bytes of a value last.
class Writers {
 public:
  void write(int value, const BufferRange& range, std::size_t call) {
    const std::size_t end = range.offset + range.bytes;
    auto& writes = by_value_[value];
    std::erase_if(writes, [&](const Write& w) { return range.offset <= w.begin && w.end <= end; });
    writes.push_back({range.offset, end, call});
  }
  std::set<std::size_t> of(int value, const BufferRange& range) {
    std::set<std::size_t> calls;
    for (const Write& w : by_value_[value]) {
      if (w.begin < range.offset + range.bytes && range.offset < w.end) calls.insert(w.call);
    }
    return calls;
  }

 private:
  struct Write {
    std::size_t begin, end, call;
  };
  std::map<int, std::vector<Write>> by_value_;
};

std::string as_graph(const train::StepPlan& step, std::size_t number) {
  std::string text = fmt::format("digraph step{} {{\n  label=\"{}\";\n  node [shape=box];\n", number, step.mode);
  Writers writers;
  for (std::size_t i = 0; i < step.plan->calls.size(); ++i) {
    const plan::PlannedCall& planned = step.plan->calls[i];
    text += fmt::format("  c{} [label=\"{} {}\\n{}\\n{}\"];\n", i, i, describe_shapes(planned.call), types_of(planned),
                        plan::describe_place(planned));
    std::set<std::pair<std::size_t, int>> drawn;  // a call may read a value twice
    for (int k = 0; k < planned.call.buffer_count; ++k) {
      const auto index = static_cast<std::size_t>(k);
      const int value = planned.values[index];
      if (!reads(use_of(planned.call, k, value != plan::kNoValue))) continue;
      for (const std::size_t from : writers.of(value, planned.call.buffers[index])) {
        if (drawn.emplace(from, value).second) text += fmt::format("  c{} -> c{} [label=\"%{}\"];\n", from, i, value);
      }
    }
    for (int k = 0; k < planned.call.buffer_count; ++k) {
      const auto index = static_cast<std::size_t>(k);
      const int value = planned.values[index];
      const bool written = writes(use_of(planned.call, k, value != plan::kNoValue));
      if (written) writers.write(value, planned.call.buffers[index], i);
    }
  }
  return text + "}\n";
}

// A row a queue: calls run one after the other on one. Times are microseconds; without any, a microsecond is a
// kilobyte.
io::Json as_events(const train::StepPlan& step, const Times& times, std::size_t number, double& start) {
  io::Json events = io::Json::array();
  for (std::size_t i = 0; i < step.plan->calls.size(); ++i) {
    const plan::PlannedCall& call = step.plan->calls[i];
    const Cost cost = cost_of(call.call);
    const double length = times.empty() ? 1e-3 * cost.bytes : 1e6 * times[i].seconds;
    io::Json args = {{"types", types_of(call)}, {"phase", call.phase},      {"op", call.op}, {"module", call.module},
                     {"bytes", cost.bytes},     {"operations", cost.flops}, {"step", number}};
    if (!times.empty()) {
      args["roofline_percent"] = 100.0 * times[i].bound / times[i].seconds;
      args["path"] = times[i].path;
    }
    events.push_back({{"name", describe_shapes(call.call)},
                      {"cat", std::string(name_of(call.call.id))},
                      {"ph", "X"},
                      {"ts", start},
                      {"dur", length},
                      {"pid", 1},
                      {"tid", 1},
                      {"args", args}});
    start += length;
  }
  return events;
}

io::Json name_event(const char* what, const std::string& name) {
  return {{"name", what}, {"ph", "M"}, {"pid", 1}, {"tid", 1}, {"args", io::Json{{"name", name}}}};
}

std::string as_trace(const std::vector<train::StepPlan>& steps, const std::vector<Times>& times,
                     const DeviceInfo& device) {
  io::Json events = io::Json::array();
  events.push_back(name_event("process_name", fmt::format("{} ({})", device.backend, device.name)));
  events.push_back(name_event("thread_name", "compute queue"));
  double start = 0.0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const io::Json own = as_events(steps[i], times.empty() ? Times() : times[i], i, start);
    for (const io::Json& event : own.elements()) events.push_back(event);
  }
  return io::Json{{"traceEvents", events}, {"displayTimeUnit", "ms"}}.dump(1) + '\n';
}

}  // namespace

std::vector<CallTime> profile(Device& device, const train::StepPlan& step) {
  Roofline roofline(device);
  const auto calls = step.executable->calls();
  Times times(calls.size(), CallTime{std::numeric_limits<double>::infinity(), 0.0, {}});
  for (int repeat = 0; repeat < kProfiledSteps; ++repeat) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const Device::Timing timing = device.timed_launch(calls[i]);
      times[i].seconds = std::min(times[i].seconds, timing.seconds);
      times[i].path = fmt::format("{}", fmt::join(timing.paths, ", "));
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) times[i].bound = roofline.bound(calls[i]);
  return times;
}

std::string report(const std::vector<train::StepPlan>& steps, const std::vector<Times>& times, PlanFormat format,
                   const DeviceInfo& device) {
  if (format == PlanFormat::chrome) return as_trace(steps, times, device);
  std::string text;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Times& own = times.empty() ? Times() : times[i];
    if (i > 0) text += '\n';
    switch (format) {
      case PlanFormat::dump: text += plan::dump(*steps[i].plan); break;
      case PlanFormat::dot: text += as_graph(steps[i], i); break;
      default: text += as_text(steps[i], own); break;
    }
  }
  return text;
}

}  // namespace amphora::app
