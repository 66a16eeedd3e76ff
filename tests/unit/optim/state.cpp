// All state of an optimizer through a writer and a reader: a resumed run has the bits of one that went on.
#include "amphora/tensor/state.h"

#include <map>

#include "amphora/app/optimizers.h"
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

struct Kept {
  std::map<std::string, Values> tensors;
  std::map<std::string, double> numbers;
  std::map<std::string, std::int64_t> integers;
};

class Visitor : public StateVisitor {
 public:
  Visitor(Kept& kept, bool restores) : kept_(kept), restores_(restores) {}
  bool restores() const override { return restores_; }

 private:
  void do_tensor(const std::string& path, const Tensor& value) override {
    if (!restores_) kept_.tensors[path] = value.to_doubles();
    const Values& numbers = kept_.tensors.at(path);
    if (restores_) Tensor(value).assign(std::vector<float>(numbers.begin(), numbers.end()));
  }
  void do_number(const std::string& path, double& value) override { visit(kept_.numbers, path, value); }
  void do_integer(const std::string& path, std::int64_t& value) override { visit(kept_.integers, path, value); }
  template <class T>
  void visit(std::map<std::string, T>& all, const std::string& path, T& value) {
    if (restores_) {
      value = all.at(path);
    } else {
      all[path] = value;
    }
  }

  Kept& kept_;
  bool restores_;
};

class OptimState : public CpuTest {
 protected:
  struct Run {
    nn::Parameter a, b;
    std::unique_ptr<optim::Optimizer> optimizer;
  };
  Run start(std::string_view name, const Values& of_a = {1, 2}, const Values& of_b = {3}) {
    Run run{parameter(of_a, "a"), parameter(of_b, "b"), nullptr};
    run.optimizer = app::optimizer_named(name).make({run.a, run.b}, 0.1f);
    run.optimizer->follow(optim::step_decay(0.1f, 3, 0.5f));
    return run;
  }
  void step(Run& run, int t) {
    run.optimizer->zero_grad();
    set_gradient(run.a, {1.0 + t, 0.5});
    if (t >= 2) set_gradient(run.b, {2.0 - t});
    run.optimizer->step();
  }
};
AMPHORA_ON_CPU(OptimState);

TEST_P(OptimState, AResumedRunHasTheBitsOfOneThatWentOn) {
  for (const app::OptimizerRow& row : app::optimizers()) {
    Run first = start(row.name);
    for (int t = 0; t < 4; ++t) step(first, t);
    Kept kept;
    Visitor writer(kept, false);
    first.optimizer->visit_state(writer);
    Run second = start(row.name, first.a.tensor().to_doubles(), first.b.tensor().to_doubles());
    Visitor reader(kept, true);
    second.optimizer->visit_state(reader);
    EXPECT_EQ(second.optimizer->steps(second.a), 4);
    EXPECT_EQ(second.optimizer->steps(second.b), 2);
    for (int t = 4; t < 8; ++t) {
      step(first, t);
      step(second, t);
    }
    EXPECT_EQ(bytes_of(second.a.tensor()), bytes_of(first.a.tensor())) << row.name;
    EXPECT_EQ(bytes_of(second.b.tensor()), bytes_of(first.b.tensor())) << row.name;
    EXPECT_EQ(second.optimizer->lr(), first.optimizer->lr());
  }
}

TEST_P(OptimState, StateIsNamedByGroupAndParameter) {
  const Run run = start("adam");
  Kept kept;
  Visitor writer(kept, false);
  run.optimizer->visit_state(writer);
  EXPECT_EQ(kept.tensors.count("group0.a.m"), 1u);
  EXPECT_EQ(kept.tensors.count("group0.b.v"), 1u);
  EXPECT_EQ(kept.integers.at("group0.b.steps"), 0);
  EXPECT_EQ(kept.integers.at("group0.next_step"), 0);
  EXPECT_EQ(kept.numbers.at("group0.lr"), double{0.1f});
}

TEST_P(OptimState, ParametersOfOneNameAreAnError) {
  optim::Sgd sgd({parameter({1}, "w"), parameter({2}, "w")});
  Kept kept;
  Visitor writer(kept, false);
  EXPECT_NE(message_of([&] { sgd.visit_state(writer); }).find("'w'"), std::string::npos);
}

}  // namespace
}  // namespace amphora::testing
