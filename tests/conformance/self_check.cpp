#include "conformance/self_check.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "amphora/device/registry.h"
#include "amphora/io/table.h"
#include "backends/cpu/backend.h"
#include "conformance/broken.h"
#include "conformance/faulty_device.h"
#include "conformance/subject.h"
#include "conformance/training.h"

namespace amphora::conformance {
namespace {

// The violations that the suite's own checks find on a device with that fault.
Caught try_device(Fault fault) {
  const auto subject = device_subject("faulty_device", cpu::kBackend.accuracy, open_faulty_device(fault));
  const Recording recording;
  const UseSubject use(*subject);
  Random random(run_seed());
  check_narrowing(random, 10000);
  check_unscale(random);
  check_a_single_overflow(random);
  return {std::string(describe(fault)), recording.ledger().violations(), fault != Fault::none};
}

// The lines of an explanation that are not those of the policy. An override is marked by a star, which a wrong entry of
// the table would not be.
Caught try_policy(const std::string& fault, std::initializer_list<amp::RuleOverride> overrides) {
  const auto device = open_device("cpu", {.threads = 1});
  std::string actual = explain_small(*device, Precision::f16, overrides);
  std::replace(actual.begin(), actual.end(), '*', ' ');
  const std::vector<std::string> differences = differing_lines(expected_explanation(DType::f16), actual);
  return {fault, differences.size(), overrides.size() > 0};
}

TEST(SelfCheck, EveryFaultIsCaught) {
  for (const Caught& caught : break_on_purpose()) {
    EXPECT_EQ(caught.violations > 0, caught.expected) << caught.fault << ": " << caught.violations;
  }
}

}  // namespace

std::vector<Caught> break_on_purpose() {
  std::vector<Caught> result = {try_device(Fault::none)};
  for (const Fault fault : kFaults) result.push_back(try_device(fault));
  result.push_back(try_policy("no fault in the policy", {}));
  result.push_back(try_policy("a policy in which softmax is lowered", {{"softmax", amp::CastRule::lower}}));
  result.push_back(try_policy("a policy in which sum follows its input", {{"sum", amp::CastRule::follow}}));
  return result;
}

bool self_check() {
  bool all = true;
  std::vector<io::Row> rows{{"broken on purpose", "violations", "verdict"}};
  for (const Caught& caught : break_on_purpose()) {
    const bool right = (caught.violations > 0) == caught.expected;
    all = all && right;
    rows.push_back({caught.fault, std::to_string(caught.violations),
                    right ? (caught.expected ? "caught" : "ok") : (caught.expected ? "NOT CAUGHT" : "FALSE ALARM")});
  }
  fmt::print("{}", io::table(rows, "lrl"));
  return all;
}

}  // namespace amphora::conformance
