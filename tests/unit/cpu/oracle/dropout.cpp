#include "amphora/core/rng.h"
#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleDropout : public OracleTest {};

TEST_F(OracleDropout, KeepsElementsByTheirRandomBits) {
  const RandomStream stream{.seed = 0x1234'5678'9ABC'DEF0ull, .stream = 0x0F1E'2D3C'4B5A'6978ull};
  const std::uint32_t threshold = 0x4000'0000u;  // a quarter is dropped
  const std::size_t count = 4001;
  const Elements x = f32(Values(count, 3.0));
  const Elements y = f32(Values(count, kNaN));
  launch(KernelId::dropout, {},
         DropoutParams{.count = count,
                       .threshold = threshold,
                       .scale = 2.0f,
                       .seed_low = 0x9ABC'DEF0u,
                       .seed_high = 0x1234'5678u,
                       .stream_low = 0x4B5A'6978u,
                       .stream_high = 0x0F1E'2D3Cu},
         {x, y});
  const Values got = y.read();
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(got[i], random_bits(stream, i) >= threshold ? 6.0 : 0.0) << "element " << i;
    dropped += got[i] == 0.0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(dropped), 0.25 * static_cast<double>(count), 120.0);
}

TEST_F(OracleDropout, ADroppedInfinityIsZero) {
  const Elements x = elements(DType::f16, {kInfinity});
  const Elements y = elements(DType::f16, {1});
  DropoutParams params{};
  params.count = 1;
  params.threshold = 0xFFFF'FFFFu;
  params.scale = 2.0f;
  launch(KernelId::dropout, {.types = {DType::f16, DType::f16}}, params, {x, y});
  EXPECT_EQ(y.read(), Values{0});
}

}  // namespace
}  // namespace amphora::testing
