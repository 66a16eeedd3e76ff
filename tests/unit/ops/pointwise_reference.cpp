// Every row of kernel/shared/pointwise.def beside values that were computed without it.
//
// Backends are held to the oracle, and the oracle expands the table: only these numbers can tell that a row is wrong. A
// new function needs an entry in pointwise_reference.py, which writes them.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "support/cpu_test.h"
#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

struct UnaryReference {
  std::string_view function;
  double x;
  float p0, p1;
  double value;
  std::optional<double> derivative;  // none: not asked for
};
struct BinaryReference {
  std::string_view function;
  double a, b, value;
  std::optional<double> of_a, of_b;
};

const UnaryReference kUnary[] = {
#define AMPHORA_UNARY_REFERENCE
#include "pointwise_reference.inc"
#undef AMPHORA_UNARY_REFERENCE
};
const BinaryReference kBinary[] = {
#define AMPHORA_BINARY_REFERENCE
#include "pointwise_reference.inc"
#undef AMPHORA_BINARY_REFERENCE
};

// An expression of the table takes at most 32 roundings, each of a number that is no larger than the operands and the
// result, or 1.
::testing::AssertionResult is_near(double actual, double expected, double operand) {
  if (std::isnan(expected) ? std::isnan(actual) : actual == expected) return ::testing::AssertionSuccess();
  const double largest = std::max({std::abs(expected), std::isfinite(operand) ? std::abs(operand) : 0.0, 1.0});
  const double bound = 32 * 0x1p-53 * largest;
  if (std::isfinite(expected) && std::abs(actual - expected) <= bound) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << fmt::format("{} instead of {}, bound {}", actual, expected, bound);
}

class PointwiseReference : public OracleTest {
 protected:
  template <class Function, std::size_t Count>
  static std::uint8_t number_of(const std::string_view (&names)[Count], Function name) {
    const auto* found = std::find(names, names + Count, name);
    EXPECT_NE(found, names + Count) << "there is no function " << name;
    return static_cast<std::uint8_t>(found - names);
  }
  static Spec spec_of(std::uint8_t function, std::uint8_t flags = 0) {
    return {.types = {DType::f64, DType::f64, DType::f64, DType::f64}, .function = function, .flags = flags};
  }
  // The one result of a call on single elements; the last of them is written.
  template <class Params>
  double result_of(KernelId kernel, const Spec& spec, const Params& params, std::initializer_list<double> operands) {
    KernelCall call(kernel, spec, params);
    std::vector<Elements> all;
    for (const double operand : operands) all.push_back(f64({operand}));
    all.push_back(f64({0.0}));
    for (const Elements& element : all) call.with(element);
    device->launch(call);
    return all.back().read().front();
  }
};

constexpr BinaryParams kOnePair{.rank = 1, .sizes = {1}, .a_strides = {1}, .b_strides = {1}, .dy_strides = {1}};

TEST_F(PointwiseReference, UnaryFunctionsGiveTheReferencesValuesAndDerivatives) {
  for (const UnaryReference& r : kUnary) {
    SCOPED_TRACE(fmt::format("{}({}), constants {} {}", r.function, r.x, r.p0, r.p1));
    const Spec spec = spec_of(number_of(kUnaryNames, r.function));
    const UnaryParams params{1, r.p0, r.p1};
    const double y = result_of(KernelId::unary, spec, params, {r.x});
    EXPECT_TRUE(is_near(y, r.value, r.x));
    if (!r.derivative) continue;
    EXPECT_TRUE(is_near(result_of(KernelId::unary_grad, spec, params, {r.x, y, 1.0}), *r.derivative, r.x))
        << "derivative";
  }
}

TEST_F(PointwiseReference, BinaryFunctionsGiveTheReferencesValuesAndDerivatives) {
  for (const BinaryReference& r : kBinary) {
    SCOPED_TRACE(fmt::format("{}({}, {})", r.function, r.a, r.b));
    const std::uint8_t function = number_of(kBinaryNames, r.function);
    const double operand = std::max(std::abs(r.a), std::abs(r.b));
    EXPECT_TRUE(is_near(result_of(KernelId::binary, spec_of(function), kOnePair, {r.a, r.b}), r.value, operand));
    const auto derivative = [&](std::uint8_t flags) {
      return result_of(KernelId::binary_grad, spec_of(function, flags), kOnePair, {r.a, r.b, 1.0});
    };
    for (const bool second : {false, true}) {
      const std::optional<double>& expected = second ? r.of_b : r.of_a;
      if (!expected) continue;
      EXPECT_TRUE(is_near(derivative(second ? kBinaryGradSecond : 0), *expected, operand)) << "derivative of "
                                                                                           << "ab"[second];
    }
  }
}

// The points at which a function has a finite value and its derivatives are known.
template <class Reference, class Derivatives>
std::map<std::string_view, int> points_of(const Reference& references, Derivatives&& derivatives) {
  std::map<std::string_view, int> points;
  for (const auto& r : references) points[r.function] += std::isfinite(r.value) && derivatives(r) ? 1 : 0;
  return points;
}

TEST_F(PointwiseReference, EveryFunctionHasOne) {
  auto unary = points_of(kUnary, [](const UnaryReference& r) { return r.derivative.has_value(); });
  auto binary = points_of(kBinary, [](const BinaryReference& r) { return r.of_a && r.of_b; });
  for (const std::string_view name : kUnaryNames) EXPECT_GE(unary[name], 4) << name << ": see pointwise_reference.py";
  for (const std::string_view name : kBinaryNames) EXPECT_GE(binary[name], 4) << name << ": see pointwise_reference.py";
}

}  // namespace
}  // namespace amphora::testing
