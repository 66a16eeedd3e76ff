// The list of optimizers by name.
#include "amphora/app/optimizers.h"

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AppOptimizers : public CpuTest {};
AMPHORA_ON_CPU(AppOptimizers);

TEST_P(AppOptimizers, EachRowMakesAnOptimizerOfItsNameThatDescends) {
  for (const app::OptimizerRow& row : app::optimizers()) {
    const nn::Parameter w = parameter({1, 2});
    const auto optimizer = row.make({w}, row.lr);
    EXPECT_EQ(optimizer->name(), row.name);
    EXPECT_EQ(optimizer->lr(), row.lr);
    set_gradient(w, {1, -1});
    optimizer->step();
    EXPECT_LT(w.tensor().to_doubles()[0], 1) << row.name;
  }
}

TEST(AppOptimizerNames, ANameThatIsNotInTheListIsAnErrorThatGivesThoseThatAre) {
  EXPECT_NE(message_of([] { app::optimizer_named("sdg"); }).find("sgd, adam"), std::string::npos);
}

}  // namespace
}  // namespace amphora::testing
