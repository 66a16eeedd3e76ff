// What the tests of compiled steps share: a small step with branches, and graphs that go wrong.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "cuda_emulator/emulator.h"
#include "cuda_test.h"

namespace amphora::cuda {

// Holds for as long as an object lives.
class GraphFault {
 public:
  explicit GraphFault(const emulator::GraphFaults& faults) { emulator::set_graph_faults(faults); }
  GraphFault(const GraphFault&) = delete;
  GraphFault& operator=(const GraphFault&) = delete;
  ~GraphFault() { emulator::set_graph_faults({}); }
};

inline KernelCall affine(const BufferPtr& x, const BufferPtr& y, float p0, float p1) {
  const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::affine), .flags = 0};
  const UnaryParams params{static_cast<std::uint32_t>(x->bytes() / sizeof(float)), p0, p1};
  return KernelCall(KernelId::unary, spec, params).with(all_of(x)).with(all_of(y));
}

// Sums all of x, in parts that a second kernel joins.
inline KernelCall sum(const BufferPtr& x, const BufferPtr& y) {
  const ReduceParams params{1, static_cast<std::uint32_t>(x->bytes() / sizeof(float)), 1, 1.0f, 0};
  return KernelCall(KernelId::reduce, {}, params).with(all_of(x)).with(all_of(y));
}

// A copy that is one of memory.
inline KernelCall copy(const BufferPtr& x, const BufferPtr& y) {
  const auto count = static_cast<std::uint32_t>(x->bytes() / sizeof(float));
  return KernelCall(KernelId::copy, {}, CopyParams{1, {count}, {1}, {1}}).with(all_of(x)).with(all_of(y));
}

// Two branches from an input x, and one that is apart:
//   low = f16(x), product = silu(low w^T + bias), total += product
//   left = affine(x), left = affine(left), right = left
//   ramp = affine(ramp), sum = the sum of ramp
struct SmallStep {
  static constexpr int kRows = 32, kColumns = 48, kInner = 64;

  // Equal seeds, equal steps.
  SmallStep(Device& device, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    const auto normals = [&](std::size_t count) {
      std::vector<float> values(count);
      for (float& value : values) value = normal(random);
      return buffer_of(device, values);
    };
    std::vector<std::uint16_t> weights(std::size_t{kColumns} * kInner);
    for (std::uint16_t& weight : weights) weight = static_cast<std::uint16_t>(0x3000 + random() % 0x0C00);
    w = buffer_of(device, weights);
    bias = normals(kColumns);
    total = normals(std::size_t{kRows} * kColumns);
    ramp = normals(300'000);
    const auto room = [&](std::size_t count, std::size_t size) {
      return device.allocate(count * size, MemoryKind::activations);
    };
    low = room(std::size_t{kRows} * kInner, 2);
    product = room(std::size_t{kRows} * kColumns, 4);
    left = room(std::size_t{kRows} * kInner, 4);
    right = room(std::size_t{kRows} * kInner, 4);
    result = room(1, 4);
  }

  std::vector<KernelCall> calls(const BufferPtr& x) const {
    const std::uint32_t inner = kRows * kInner;
    const Spec narrow{.types = {DType::f32, DType::f16}};
    Spec multiply{.types = {DType::f16, DType::f16, DType::f32, DType::f32},
                  .function = static_cast<std::uint8_t>(Activation::silu)};
    multiply.flags = kMatmulTransposeB;
    const MatmulParams shape{kRows, kColumns, kInner, 1, kInner, kInner, kColumns, 0, 0, 0, 1.0f, 0.0f};
    const CountParams outer{kRows * kColumns};
    return {KernelCall(KernelId::cast, narrow, CountParams{inner}).with(all_of(x)).with(all_of(low)),
            affine(x, left, 2.0f, 1.0f),
            KernelCall(KernelId::matmul, multiply, shape)
                .with(all_of(low))
                .with(all_of(w))
                .with(all_of(product))
                .with(all_of(bias)),
            affine(left, left, 0.5f, -3.0f),
            affine(ramp, ramp, 0.75f, 1.0f),
            sum(ramp, result),
            copy(left, right),
            KernelCall(KernelId::accumulate, {}, outer).with(all_of(product)).with(all_of(total))};
  }

  // All that it leaves, as it is when the device comes to it.
  std::vector<std::unique_ptr<Readback>> read(Device& device) const {
    std::vector<std::unique_ptr<Readback>> results;
    for (const BufferPtr& buffer : {product, total, left, right, ramp, result}) {
      results.push_back(device.read_later(*buffer, 0, buffer->bytes()));
    }
    return results;
  }

  BufferPtr w, bias, total, ramp, low, product, left, right, result;
};

inline bool same_bits(const std::vector<std::unique_ptr<Readback>>& a,
                      const std::vector<std::unique_ptr<Readback>>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; i < a.size() && same; ++i) {
    const auto x = a[i]->get(), y = b[i]->get();
    same = std::equal(x.begin(), x.end(), y.begin(), y.end());
  }
  return same;
}

class CudaGraphs : public CudaTest {
 protected:
  static constexpr std::size_t kInputs = std::size_t{SmallStep::kRows} * SmallStep::kInner;

  static BufferPtr input(Device& device) { return device.allocate(kInputs * sizeof(float), MemoryKind::inputs); }
  void upload_fresh(Device& device, const std::vector<BufferPtr>& targets) {
    std::vector<float> values(kInputs);
    for (float& value : values) value = static_cast<float>(random.normal());
    for (const BufferPtr& target : targets) device.upload(*target, 0, std::as_bytes(std::span(values)));
  }

  // Replays a step on two sets of inputs by turns, beside its calls one by one on memory of their own; whether both
  // leave the same bits each time.
  bool replays_like_its_calls(Device& device, int submissions) {
    const std::uint64_t seed = random.bits64();
    const SmallStep replayed(device, seed), eager(device, seed);
    const BufferPtr inputs[] = {input(device), input(device)};
    const BufferPtr other = input(device);
    const std::unique_ptr<Executable> turns[] = {device.compile(replayed.calls(inputs[0])),
                                                 device.compile(replayed.calls(inputs[1]))};
    std::vector<std::vector<std::unique_ptr<Readback>>> got, expected;
    for (int i = 0; i < submissions; ++i) {
      upload_fresh(device, {inputs[i % 2], other});
      device.submit(*turns[i % 2]);
      got.push_back(replayed.read(device));
      for (const KernelCall& call : eager.calls(other)) device.launch(call);
      expected.push_back(eager.read(device));
    }
    bool same = true;
    for (int i = 0; i < submissions; ++i) {
      same = same && same_bits(got[static_cast<std::size_t>(i)], expected[static_cast<std::size_t>(i)]);
    }
    return same;
  }

  testing::Random random;
};

}  // namespace amphora::cuda
