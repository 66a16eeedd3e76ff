// Modules whose forward pass runs again for the backward pass.
#include <algorithm>

#include "amphora/plan/recorder.h"
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

using autograd::TraceLine;

// A module whose forward pass a test chooses.
class FunctionLayer : public nn::Layer {
 public:
  explicit FunctionLayer(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}

 protected:
  Tensor forward(const Tensor& x) override { return function_(x); }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

class Residual : public nn::Layer {
 public:
  explicit Residual(std::shared_ptr<nn::Layer> body) : body_(std::move(body)) {}
  void visit_parts(nn::PartVisitor& visit) override { visit("body", body_); }

 protected:
  Tensor forward(const Tensor& x) override { return x + (*body_)(x); }

 private:
  std::shared_ptr<nn::Layer> body_;
};

class NnRecompute : public CpuTest {
 protected:
  std::shared_ptr<nn::Sequential> block(const nn::Init& init, bool recompute) {
    auto result = std::make_shared<nn::Sequential>(nn::Linear(init, 16, 24, {.activation = Activation::gelu}),
                                                   nn::Dropout(init, 0.3f), nn::Linear(init, 24, 16), nn::Tanh());
    result->recompute(recompute);
    return result;
  }

  // One block twice, one in another recomputed module, one beside the tensor that it reads.
  std::shared_ptr<nn::Sequential> model(std::uint64_t seed, bool recompute) {
    RandomSource source(seed);
    const nn::Init init{*device, source};
    auto result = std::make_shared<nn::Sequential>();
    const auto tied = block(init, recompute);
    const auto outer = std::make_shared<nn::Sequential>();
    outer->add(std::make_shared<nn::Dropout>(init, 0.1f));
    outer->add(block(init, recompute));
    outer->add(std::make_shared<nn::Dropout>(init, 0.2f));
    outer->recompute(recompute);
    const auto residual = std::make_shared<Residual>(block(init, recompute));
    residual->recompute(recompute);
    result->add(tied);
    result->add(outer);
    result->add(tied);
    result->add(residual);
    return result;
  }

  // The bits of each step's loss, input gradient, weights.
  std::vector<std::vector<std::byte>> train(std::uint64_t seed, Precision precision, bool recompute,
                                            const std::vector<Values>& batches) {
    const auto net = model(seed, recompute);
    optim::Adam adam(net->parameters(), {.lr = 0.01f});
    amp::GradScaler scaler({.init_scale = 1024.0f});
    std::vector<std::vector<std::byte>> bits;
    for (const Values& batch : batches) {
      const Tensor x = tensor({4, 16}, batch).set_requires_grad();
      Tensor loss;
      {
        const amp::Autocast region(precision);
        loss = mean(square((*net)(x)));
      }
      scaler.scale(loss).backward();
      scaler.step(adam);
      scaler.update();
      adam.zero_grad();
      bits.push_back(bytes_of(loss));
      bits.push_back(bytes_of(x.grad()));
      for (const nn::Parameter& parameter : net->parameters()) bits.push_back(bytes_of(parameter.tensor()));
    }
    return bits;
  }

  Random random;
};
AMPHORA_ON_CPU(NnRecompute);

TEST_P(NnRecompute, TrainingHasTheSameBits) {
  const std::uint64_t seed = random.bits64();
  std::vector<Values> batches;
  for (int step = 0; step < 4; ++step) batches.push_back(random.normals(64));
  for (const Precision precision : {Precision::f32, Precision::f16, Precision::bf16}) {
    SCOPED_TRACE(std::string(name_of(precision)));
    const auto kept = train(seed, precision, false, batches);
    EXPECT_EQ(train(seed, precision, true, batches), kept);
  }
}

TEST_P(NnRecompute, ThePolicyIsTheForwards) {
  RandomSource source(1);
  const nn::Init init{*device, source};
  nn::Sequential net(nn::Linear(init, 3, 3), nn::GELU());
  nn::Sequential free_net(nn::Linear(init, 3, 3));
  free_net.add(std::make_shared<FunctionLayer>([](const Tensor& x) {
    const amp::Autocast off(false);
    return softmax(x);
  }));
  net.recompute();
  free_net.recompute();
  const autograd::Trace trace;
  Tensor loss;
  {
    const amp::Autocast region(DType::bf16, {{"gelu", amp::CastRule::full}});
    loss = sum(net(tensor({2, 3}, random.normals(6))));
    const amp::Autocast inner(Precision::tf32);
    loss = loss + sum(free_net(tensor({2, 3}, random.normals(6))));
  }
  const amp::Autocast other(DType::f16);
  loss.backward();
  EXPECT_EQ(amp::active_dtype(), DType::f16);
  EXPECT_FALSE(amp::tf32_active());
  EXPECT_FALSE(amp::override_of("gelu"));

  const auto lines = [&](std::string_view phase, std::string_view op) {
    std::vector<std::string> result;
    for (const TraceLine& line : trace.lines()) {
      if (line.phase != phase || line.op != op) continue;
      result.push_back(fmt::format("{} {} {} {} {}", line.rule, name_of(line.ran_in), line.tf32, line.where,
                                   fmt::join(line.casts, ", ")));
    }
    std::sort(result.begin(), result.end());  // the last module is recomputed first
    return result;
  };
  for (const char* op : {"linear", "gelu", "softmax"}) {
    EXPECT_FALSE(lines("forward", op).empty()) << op;
    EXPECT_EQ(lines("recompute", op), lines("forward", op));
  }
  EXPECT_TRUE(lines("recompute", "sum").empty()) << "not in a recomputed module";
}

TEST_P(NnRecompute, AForwardPassRunsOnceMoreAndOnlyWhereItIsAsked) {
  RandomSource source(1);
  const nn::Init init{*device, source};
  int passes = 0;
  nn::Sequential net(nn::Linear(init, 2, 2));
  net.add(std::make_shared<FunctionLayer>([&](const Tensor& x) {
    ++passes;
    return x;
  }));
  const Tensor x = tensor({1, 2}, {1, 2});
  const auto passes_of = [&](const auto& run) {
    passes = 0;
    run();
    return passes;
  };
  const auto step = [&] { sum(net(x)).backward(); };
  EXPECT_FALSE(net.is_recomputed());
  EXPECT_EQ(passes_of(step), 1);
  net.recompute();
  EXPECT_TRUE(net.is_recomputed());
  EXPECT_EQ(passes_of(step), 2);
  EXPECT_EQ(net(x).node()->name, "recompute");
  EXPECT_EQ(passes_of([&] {
              const autograd::NoGrad no_grad;
              EXPECT_FALSE(net(x).requires_grad());
            }),
            1);
  net.eval();
  EXPECT_EQ(passes_of(step), 1);
  net.train();
  for (nn::Parameter& parameter : net.parameters()) parameter.set_requires_grad(false);
  EXPECT_FALSE(net(x).requires_grad());
  net.recompute(false);
  EXPECT_FALSE(net.is_recomputed());
}

TEST_P(NnRecompute, AModuleThatGivesItsInputPassesTheGradientOn) {
  FunctionLayer same([](const Tensor& x) { return x; });
  same.recompute();
  const Tensor leaf = vector({1, 2}).set_requires_grad();
  const Tensor y = same(leaf);
  EXPECT_FALSE(y.is_same(leaf));
  sum(y * y).backward();
  EXPECT_TRUE(same_values(leaf.grad(), {2, 4}));
  leaf.clear_grad();
  sum(same(leaf * 3.0f)).backward();
  EXPECT_TRUE(same_values(leaf.grad(), {3, 3}));
}

struct LstmState {
  Tensor h;
  Tensor c;
  auto tensors() { return std::tie(h, c); }
};

// Several arguments, among them one that is no tensor and one that may be absent; results in a struct, of which one
// comes from the other.
class Recurrence : public nn::Callable<LstmState(const Tensor& x, const LstmState& state, float forget, Tensor mask)> {
 public:
  explicit Recurrence(const nn::Init& init) : gate_(init, 4, 4), dropout_(init, 0.25f) {}
  void visit_parts(nn::PartVisitor& visit) override {
    visit("gate", gate_);
    visit("dropout", dropout_);
  }

 protected:
  LstmState forward(const Tensor& x, const LstmState& state, float forget, Tensor mask) override {
    const Tensor gate = dropout_(sigmoid(gate_(x + state.h)));
    Tensor c = state.c * forget + gate;
    if (mask.defined()) c = c * mask;
    return {amphora::tanh(c) * gate, c};
  }

 private:
  nn::Linear gate_;
  nn::Dropout dropout_;
};

TEST_P(NnRecompute, AModuleOfAnySignatureHasTheSameBits) {
  const std::uint64_t seed = random.bits64();
  const Values values = random.normals(8);
  const auto gradients = [&](bool recompute, bool only_c) {
    RandomSource source(seed);
    Recurrence cell({*device, source});
    cell.recompute(recompute);
    const Tensor x = tensor({2, 4}, values).set_requires_grad();
    const Tensor start = tensor({2, 4}, values).set_requires_grad();
    LstmState state{start, start};
    {
      const amp::Autocast region(DType::bf16);
      for (int step = 0; step < 3; ++step)
        state = cell(x, state, 0.5f, step == 1 ? tensor({4}, {0, 1, 1, 0}) : Tensor());
    }
    (only_c ? sum(state.c) : sum(state.h) + mean(square(state.c))).backward();
    std::vector<std::vector<std::byte>> bits = {bytes_of(state.h), bytes_of(state.c), bytes_of(x.grad()),
                                                bytes_of(start.grad())};
    for (const nn::Parameter& parameter : cell.parameters()) bits.push_back(bytes_of(parameter.grad()));
    return bits;
  };
  for (const bool only_c : {false, true}) EXPECT_EQ(gradients(true, only_c), gradients(false, only_c)) << only_c;
}

TEST_P(NnRecompute, ResultsThatAreNoFloatsStayOffTheTape) {
  class Pair : public nn::Callable<std::vector<Tensor>(const std::vector<Tensor>& in)> {
   protected:
    std::vector<Tensor> forward(const std::vector<Tensor>& in) override { return {in[0] * in[0], in[1], Tensor()}; }
  };
  Pair pair;
  pair.recompute();
  const Tensor leaf = vector({2, 3}).set_requires_grad();
  const std::vector<Tensor> result = pair({leaf, labels({1})});
  EXPECT_EQ(result[0].node()->name, "recompute");
  EXPECT_FALSE(result[1].requires_grad());
  EXPECT_FALSE(result[2].defined());
  sum(result[0]).backward();
  EXPECT_TRUE(same_values(leaf.grad(), {4, 6}));
}

TEST_P(NnRecompute, WhatElseTheForwardPassReadsGetsItsGradient) {
  const Tensor leaf = vector({5, 7}).set_requires_grad();
  const Tensor factor = leaf * 2.0f;
  FunctionLayer scaled([&](const Tensor& x) { return x * factor; });
  scaled.recompute();
  const Tensor x = vector({3, 4}).set_requires_grad();
  sum(scaled(x)).backward();
  EXPECT_TRUE(same_values(x.grad(), {10, 14}));
  EXPECT_TRUE(same_values(leaf.grad(), {6, 8}));
}

TEST_P(NnRecompute, AnErrorLeavesTheThreadAsItWas) {
  bool fails = false;
  nn::Sequential net;
  net.add(std::make_shared<FunctionLayer>([&](const Tensor& x) {
    const amp::Autocast region(DType::bf16);
    require(!fails, "told to fail");
    return amphora::tanh(x);
  }));
  net.recompute();
  Tensor loss;
  {
    const amp::Autocast region(DType::f16);
    loss = sum(net(vector({1, 2}).set_requires_grad()));
  }
  fails = true;
  EXPECT_EQ(message_of([&] { loss.backward(); }), "told to fail");
  EXPECT_TRUE(autograd::grad_enabled());
  EXPECT_EQ(autograd::current_module(), "");
  EXPECT_EQ(amp::active_dtype(), std::nullopt);
  EXPECT_FALSE(context().place.recomputes);
  EXPECT_EQ(context().place.phase, "");
  RandomSource source(1);
  const nn::Init init{*device, source};
  nn::Dropout dropout(init, 0.5f);
  EXPECT_NO_THROW(dropout(vector({1, 2}))) << "draws of its own again";
}

TEST_P(NnRecompute, AnotherCourseIsRefused) {
  RandomSource source(1);
  const nn::Init init{*device, source};
  const auto dropout = std::make_shared<nn::Dropout>(init, 0.5f);
  nn::Sequential net;
  net.add(dropout);
  net.recompute();
  const Tensor x = vector({1, 2}).set_requires_grad();
  const Tensor without = sum(net(x));
  dropout->eval();
  EXPECT_NE(message_of([&] { without.backward(); }).find("drew 1 random numbers when it ran first, but fewer"),
            std::string::npos);
  const Tensor with = sum(net(x));
  dropout->train();
  EXPECT_NE(message_of([&] { with.backward(); }).find("drew 0 random numbers when it ran first, but more"),
            std::string::npos);
}

TEST_P(NnRecompute, AModuleThatHasGoneIsNoticed) {
  const Tensor x = vector({1, 2}).set_requires_grad();
  const auto tanh = [](const Tensor& t) { return amphora::tanh(t); };
  Tensor loss;
  {
    FunctionLayer module(tanh);
    module.recompute();
    loss = sum(module(x));
  }
  EXPECT_THROW(loss.backward(), StateError);
  FunctionLayer module(tanh);
  module.recompute();
  loss = sum(module(x));
  FunctionLayer moved = std::move(module);
  EXPECT_THROW(loss.backward(), StateError);
  EXPECT_TRUE(moved.is_recomputed());
  EXPECT_NO_THROW(sum(moved(x)).backward());
}

TEST_P(NnRecompute, ARecordedStepFeedsADropoutOnce) {
  const auto net = model(random.bits64(), true);
  const BufferPtr feed = device->allocate(4096, MemoryKind::inputs);
  const Tensor x = tensor({4, 16}, random.normals(64)).set_requires_grad();
  plan::Recorder recorder(*device, plan::Recorder::Mode::capture, {}, feed);
  mean((*net)(x)).backward();
  const plan::Plan plan = recorder.finish().plan;
  // The tied block's is called twice, the outer module has two and its block one, the last block one.
  EXPECT_EQ(plan.feeds.size(), 6u);
  std::map<std::size_t, std::vector<std::string>> phases;  // by the fed number's place
  for (const plan::PlannedCall& planned : plan.calls) {
    if (planned.call.id == KernelId::dropout) phases[planned.call.buffers[2].offset].push_back(planned.phase);
  }
  EXPECT_EQ(phases.size(), 6u);
  const std::vector<std::string> once = {"forward", "recompute", "backward"};
  const std::vector<std::string> nested = {"forward", "recompute", "recompute", "backward"};
  for (const auto& [offset, seen] : phases) EXPECT_TRUE(seen == once || seen == nested) << offset;
  EXPECT_EQ(std::count_if(phases.begin(), phases.end(), [&](const auto& entry) { return entry.second == nested; }), 2);
}

TEST_P(NnRecompute, TheFlagDecidesTheCourseOfARecordedStep) {
  const auto net = model(1, true);
  const Tensor x = tensor({4, 16}, random.normals(64));
  const plan::HostState state = [&] {
    plan::Recorder recorder(*device, plan::Recorder::Mode::observe);
    mean((*net)(x)).backward();
    return recorder.finish().state;
  }();
  for (const nn::Parameter& parameter : net->parameters()) parameter.tensor().clear_grad();
  EXPECT_TRUE(state.holds());
  net->recompute();
  EXPECT_FALSE(state.holds());
  net->recompute(false);
  EXPECT_TRUE(state.holds());
}

TEST(NnRecomputeMemory, AChainKeepsItsBlocksInputsAndOneBlock) {
  constexpr std::size_t kBytes = 4096;
  constexpr int kBlocks = 6;
  constexpr int kOps = 5;
  const auto peak = [](bool recompute) {
    const auto device = open_device("null");
    const Tensor x =
        Tensor::empty(*device, {kBytes / sizeof(float)}, DType::f32, MemoryKind::inputs).set_requires_grad();
    const Tensor seed = Tensor::empty(*device, x.shape(), DType::f32, MemoryKind::inputs);
    nn::Sequential net;
    for (int i = 0; i < kBlocks; ++i) {
      const auto block = std::make_shared<FunctionLayer>([](const Tensor& input) {
        Tensor y = input;
        for (int op = 0; op < kOps; ++op) y = amphora::tanh(y);
        return y;
      });
      block->recompute(recompute);
      net.add(block);
    }
    const Tensor y = net(x);
    y.backward(seed);
    return device->memory().peak[static_cast<std::size_t>(MemoryKind::activations)] / kBytes;
  };
  // An op keeps its operand and its result; dy and dx of one op live together. x and the seed are no activations.
  EXPECT_EQ(peak(false), kBlocks * kOps + 2u);
  // In the last block but one: the inputs of it and of those before it, and the net's result; the block's results; dy,
  // dx.
  EXPECT_EQ(peak(true), (kBlocks - 1) + kOps + 2u);
}

}  // namespace
}  // namespace amphora::testing
