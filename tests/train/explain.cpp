// --explain prints the same bytes on every backend.
#include <gtest/gtest.h>

#include "backends/registry.h"
#include "program.h"

namespace amphora {
namespace {

TEST(Explain, IsTheSameOnEveryBackend) {
  for (const std::string precision : {"f32", "f16", "bf16"}) {
    const std::string arguments = "--explain --batch-size 8 --precision " + precision + " --backend ";
    const testing::Finished expected = testing::run_mlp(arguments + "cpu");
    ASSERT_EQ(expected.code, 0) << expected.err;
    EXPECT_NE(expected.out.find("linear+relu"), std::string::npos) << expected.out;
    for (const BackendStatus& status : list_backends()) {
      const testing::Finished actual = testing::run_mlp(arguments + status.name);
      const bool lacks = actual.err.find("is not available") != std::string::npos ||
                         actual.err.find("has no precision") != std::string::npos;
      if (actual.code == 1 && lacks) continue;
      EXPECT_EQ(actual.code, 0) << status.name << ": " << actual.err;
      EXPECT_EQ(actual.out, expected.out) << status.name << ", " << precision;
    }
  }
}

}  // namespace
}  // namespace amphora
