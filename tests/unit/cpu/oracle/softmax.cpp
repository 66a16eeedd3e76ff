#include <cmath>

#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleSoftmax : public OracleTest {
 protected:
  Values softmax(const Values& x, std::uint32_t rows, std::uint8_t flags) {
    const Elements y = f64(Values(x.size()));
    launch(KernelId::softmax, {.types = {DType::f64, DType::f64}, .flags = flags}, shape(x, rows), {f64(x), y});
    return y.read();
  }

  Values gradient(const Values& y, const Values& dy, std::uint32_t rows, std::uint8_t flags) {
    const Elements dx = f64(Values(y.size()));
    const Elements result = f64(y);
    launch(KernelId::softmax_grad, {.types = {DType::f64, DType::f64, DType::f64}, .flags = flags}, shape(y, rows),
           {result, f64(dy), dx});
    return dx.read();
  }

  static RowsParams shape(const Values& x, std::uint32_t rows) {
    return {rows, static_cast<std::uint32_t>(x.size()) / rows};
  }
};

TEST_F(OracleSoftmax, RowsAreIndependent) {
  expect_near(softmax({0, std::log(3.0), 5, 5}, 2, 0), {0.25, 0.75, 0.5, 0.5}, 1e-15);
  expect_near(softmax({0, std::log(3.0), 5, 5}, 2, kSoftmaxLog),
              {std::log(0.25), std::log(0.75), std::log(0.5), std::log(0.5)}, 1e-15);
}

TEST_F(OracleSoftmax, LargeInputsDoNotOverflow) {
  expect_near(softmax({10000, 10000}, 1, 0), {0.5, 0.5}, 1e-15);
  EXPECT_EQ(softmax({0, -10000}, 1, kSoftmaxLog), (Values{0, -10000}));
}

TEST_F(OracleSoftmax, MinusInfinityHasNoProbability) { EXPECT_EQ(softmax({1, -kInfinity}, 1, 0), (Values{1, 0})); }

TEST_F(OracleSoftmax, GradientsMatchFiniteDifferences) {
  const Values x = {0.3, -0.7, 1.1, 0.2, 0.9, -0.4};
  const Values dy = {1, -2, 0.5, 3, 0.25, -1};
  for (const std::uint8_t flags : {std::uint8_t{0}, kSoftmaxLog}) {
    Values want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      Values above = x;
      Values below = x;
      above[i] += 1e-5;
      below[i] -= 1e-5;
      const Values high = softmax(above, 2, flags);
      const Values low = softmax(below, 2, flags);
      for (std::size_t j = 0; j < x.size(); ++j) want[i] += dy[j] * (high[j] - low[j]) / 2e-5;
    }
    expect_near(gradient(softmax(x, 2, flags), dy, 2, flags), want, 1e-8);
  }
}

}  // namespace
}  // namespace amphora::testing
