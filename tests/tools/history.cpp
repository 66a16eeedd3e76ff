// Loss-scale histories: read from a log, compared step by step.
#include "tools/gpu_check/history.h"

#include <gtest/gtest.h>

namespace amphora::gpu_check {
namespace {

const std::vector<ScaleStep> kHistory{{65536, true}, {32768, false}, {32768, false}};

TEST(History, IsReadFromALog) {
  EXPECT_EQ(scale_history(R"({"step":1,"loss":null,"loss_scale":65536.0,"skipped":true,"lr":0.1}
{"step":2,"loss":2.3,"loss_scale":32768.0,"skipped":false,"lr":0.1}
{"step":3,"loss":2.2,"loss_scale":32768.0,"skipped":false,"lr":0.1}
)"),
            kHistory);
}

TEST(History, OfARunThatWasCutOffEndsThere) {
  EXPECT_EQ(scale_history("{\"loss_scale\":65536.0,\"skipped\":true}\n{\"loss_sc"),
            (std::vector<ScaleStep>{{65536, true}}));
  EXPECT_TRUE(scale_history("").empty());
}

TEST(History, DiffersWhereAScaleOrASkipDoes) {
  EXPECT_EQ(difference(kHistory, kHistory), "");
  std::vector<ScaleStep> other = kHistory;
  other[1].scale = 65536;
  EXPECT_EQ(difference(kHistory, other), "step 2: 32768 here, 65536 there");
  other = kHistory;
  other[2].skipped = true;
  EXPECT_EQ(difference(kHistory, other), "step 3: 32768 here, 32768 skipped there");
  other.pop_back();
  EXPECT_EQ(difference(kHistory, other), "the end: 3 steps here, 2 there");
}

}  // namespace
}  // namespace amphora::gpu_check
