// Conformance of decisions: what a program computes in which type, its random numbers, its loss scale and which steps
// it skips are the same on every backend; its losses stay within a bound.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "amphora/amphora.h"
#include "conformance/ledger.h"
#include "conformance/subject.h"
#include "conformance/training.h"

namespace amphora::conformance {
namespace {

constexpr Precision kPrecisions[] = {Precision::f32, Precision::f16, Precision::bf16};

// Compares a device with the cpu backend as it comes.
class Decisions : public ::testing::TestWithParam<const DecisionEntry*> {
 protected:
  void SetUp() override {
    Ledger::current().begin_test();
    device_ = GetParam()->open();
    reference_ = open_device("cpu", {.threads = 2});
  }

  // The ledger's row for one kind of decision; null, and noted, where the device lacks the precision.
  Ledger::Row* begin(const std::string& what, Precision precision) {
    const std::vector<Precision>& known = device_->info().precisions;
    const std::string types(name_of(precision));
    if (std::find(known.begin(), known.end(), precision) != known.end()) {
      return &Ledger::current().begin_case({GetParam()->name, what, types, "-"}, what + " " + types);
    }
    Ledger::current().unsupported({GetParam()->name, what, types, "the device has no such precision"});
    return nullptr;
  }

  static void expect(Ledger::Row& row, bool holds, const std::string& message) {
    if (holds) {
      Ledger::accept(row, 0.0);
    } else {
      Ledger::current().violate(row, message);
    }
  }

  std::shared_ptr<Device> device_;
  std::shared_ptr<Device> reference_;
};

TEST_P(Decisions, TypesAndCastsAreThePolicys) {
  for (const Precision precision : kPrecisions) {
    Ledger::Row* row = begin("explanation", precision);
    if (row == nullptr) continue;
    const std::string actual = explain_small(*device_, precision);
    const std::string expected = explain_small(*reference_, precision);
    expect(*row, actual == expected, fmt::format("not the cpu's text:\n{}", actual));
    if (precision == Precision::f32) continue;
    const DType low = precision == Precision::f16 ? DType::f16 : DType::bf16;
    for (const std::string& line : differing_lines(expected_explanation(low), actual)) expect(*row, false, line);
  }
}

TEST_P(Decisions, DropoutMasksAreTheSameBits) {
  Ledger::Row& row = *begin("dropout mask", Precision::f32);
  RandomSource random(run_seed());
  for (const std::int64_t count : {1, 1000, 100'003}) {
    const RandomStream stream = random.next();
    const auto mask = [&](Device& device) {
      return dropout(Tensor::full(device, {count}, 1.0), 0.3f, stream).to_vector();
    };
    expect(row, mask(*device_) == mask(*reference_), fmt::format("another mask of {} elements", count));
  }
}

void expect_losses_in_bounds(Ledger::Row& row, const TrainingRun& actual, const TrainingRun& expected,
                             Precision precision) {
  const std::vector<double> bounds = loss_bounds(expected, precision);
  for (std::size_t step = 0; step < bounds.size(); ++step) {
    const double error = std::abs(actual.losses[step] - expected.losses[step]);
    if (error <= bounds[step]) {
      Ledger::accept(row, error / bounds[step]);
    } else {
      Ledger::current().violate(row, fmt::format("step {}: the loss is {}, the cpu's {}; bound {}", step,
                                                 actual.losses[step], expected.losses[step], bounds[step]));
    }
  }
}

TEST_P(Decisions, TrainingStartsAlikeSkipsAlikeAndEndsNear) {
  for (const Precision precision : kPrecisions) {
    Ledger::Row* row = begin("training, 200 steps", precision);
    if (row == nullptr) continue;
    const TrainingRun expected = train_small(*reference_, precision);
    const TrainingRun actual = train_small(*device_, precision);
    expect(*row, actual.initial_weights == expected.initial_weights, "other initial weights");
    expect(*row, actual.images == expected.images, "other batches");
    expect(*row, actual.skipped == expected.skipped, "other steps are skipped");
    expect(*row, actual.scales == expected.scales, "another history of the loss scale");
    expect_losses_in_bounds(*row, actual, expected, precision);
    // The run is one that shows something: skips at the start, a scale that grows, something learnt.
    EXPECT_TRUE(expected.skipped.front());
    EXPECT_GT(*std::max_element(expected.scales.begin() + 20, expected.scales.end()), expected.scales[20]);
    EXPECT_LT(expected.losses.back(), 0.1 * expected.losses.front());
  }
}

std::string entry_name(const ::testing::TestParamInfo<const DecisionEntry*>& info) { return info.param->name; }

INSTANTIATE_TEST_SUITE_P(, Decisions, ::testing::ValuesIn(decisions()), entry_name);

}  // namespace
}  // namespace amphora::conformance
