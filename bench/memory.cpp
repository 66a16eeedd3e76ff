// The memory of a training step by precision, as its plan lays it out and as the device counts it: ./run bench memory
//
// Linear layers of 1000 x 1000 at batch 512, one forward and one backward pass: as they are, and recomputed in groups,
// so that only what lies between groups is kept for the backward pass.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "amphora/app.h"
#include "amphora/core/bytes_text.h"
#include "amphora/io/table.h"

namespace {

namespace am = amphora;

struct Network {
  int layers = 20;
  std::int64_t width = 1000;
  std::int64_t batch = 512;
  int group = 4;  // layers that are recomputed together
};

// Bytes.
struct Memory {
  std::size_t arena = 0;      // of the plan
  std::size_t live_peak = 0;  // of what lies in it
  std::size_t eager = 0;      // activations at their peak of the eager step
  std::size_t replayed = 0;   // while it was replayed: the arena, and what outlives the step
};

std::size_t activations(const std::array<std::size_t, am::kMemoryKinds>& bytes) {
  return bytes[static_cast<std::size_t>(am::MemoryKind::activations)];
}

Memory measure(const std::string& backend, const Network& network, am::Precision precision, bool recompute) {
  const auto device = am::open_device(backend);  // a new one: it counts from nothing
  am::RandomSource random(1);
  const am::nn::Init init{*device, random};
  am::nn::Sequential model;
  for (int first = 0; first < network.layers; first += network.group) {
    auto group = std::make_shared<am::nn::Sequential>();
    for (int i = first; i < std::min(first + network.group, network.layers); ++i) {
      group->add(std::make_shared<am::nn::Linear>(init, network.width, network.width));
    }
    group->recompute(recompute);
    model.add(group);
  }
  const am::Tensor x =
      am::Tensor::full(*device, {network.batch, network.width}, 0.01, am::DType::f32, am::MemoryKind::inputs);
  am::train::Step step(*device, [&](const am::Tensor& batch) {
    am::Tensor loss;
    {
      const am::amp::Autocast autocast(precision);
      loss = am::mean(model(batch));
    }
    loss.backward();
    for (const am::nn::Parameter& parameter : model.parameters()) parameter.tensor().clear_grad();
    return loss;
  });
  Memory memory;
  step(x);
  device->wait();
  memory.eager = activations(device->memory().peak);
  for (int i = 0; i < 4; ++i) step(x);
  device->wait();
  memory.replayed = activations(device->memory().current);
  const std::vector<am::train::StepPlan> plans = step.plans();
  am::require(!plans.empty(), "the step is not replayed: {}", step.reason_against_replay());
  memory.arena = plans.front().memory->bytes;
  memory.live_peak = plans.front().memory->live_peak;
  return memory;
}

std::string share(std::size_t bytes, std::size_t of) {
  return fmt::format("{:.2f}", static_cast<double>(bytes) / static_cast<double>(of));
}

}  // namespace

int main(int argc, char** argv) {
  std::string backend = "cpu";
  Network network;
  return am::app::run_reporting_errors("memory", [&] {
    am::app::CommandLine line(
        {.program = "bench_memory", .description = "The memory of one forward and one backward pass, by precision."});
    line.add_text("--backend", backend, "NAME", "whose accounts; null computes nothing");
    line.add_whole("--layers", network.layers, "N", "linear layers", 1, 10'000);
    line.add_whole("--width", network.width, "N", "inputs and outputs of each", 1, 1'000'000);
    line.add_whole("--batch", network.batch, "N", "rows of the input", 1, 1'000'000);
    line.add_whole("--group", network.group, "N", "layers recomputed together", 1, 10'000);
    if (!line.parse(argc, argv)) return;
    const std::vector<am::Precision> precisions = am::open_device(backend)->info().precisions;
    std::vector<am::io::Row> plan{{"precision", "recompute", "arena", "alive at the peak", "of f32"}};
    std::vector<am::io::Row> counted{{"precision", "recompute", "eager", "of f32", "replayed", "of f32"}};
    for (const bool recompute : {false, true}) {
      Memory f32;
      for (const am::Precision precision : precisions) {
        const Memory memory = measure(backend, network, precision, recompute);
        if (precision == am::Precision::f32) f32 = memory;
        const std::string name(am::name_of(precision));
        const std::string how = recompute ? "yes" : "no";
        plan.push_back({name, how, am::bytes_text(memory.arena, 2), bytes_text(memory.live_peak, 2),
                        share(memory.arena, f32.arena)});
        counted.push_back({name, how, am::bytes_text(memory.eager, 2), share(memory.eager, f32.eager),
                           am::bytes_text(memory.replayed, 2), share(memory.replayed, f32.replayed)});
      }
    }
    fmt::print("{} linear layers of {} x {} at batch {}, forward and backward, on {}\n\nby the plan:\n{}\n",
               network.layers, network.width, network.width, network.batch, backend, am::io::table(plan, "llrrr"));
    fmt::print("activations by the device's accounts:\n{}", am::io::table(counted, "llrrrr"));
  });
}
