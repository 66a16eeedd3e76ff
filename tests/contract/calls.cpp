// Calls: their order, what they may be, what is counted, and what is refused.
#include <map>

#include "amphora/core/error.h"
#include "contract_test.h"
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

// Each call reads what the one before wrote; memory that is given back is reused while calls are still queued.
TEST_P(Contract, CallsRunInOrder) {
  const auto device = open();
  BufferPtr x = buffer_of(*device, std::vector<float>(5000, 1.0f));
  double expected = 1.0;
  for (int i = 0; i < 100; ++i) {
    const BufferPtr y = device->allocate(x->bytes(), MemoryKind::activations);
    launch_affine(x, y, 0.5f, static_cast<float>(i));
    expected = 0.5 * expected + i;
    x = y;
  }
  const std::vector<float> values = values_of<float>(*device, *x);
  if (!computes()) return;
  for (const float value : values) ASSERT_FLOAT_EQ(value, static_cast<float>(expected));
}

TEST_P(Contract, ManyCallsSideBySideAreLegal) {
  const auto device = open();
  constexpr std::size_t kCalls = 2000;
  const BufferPtr x = buffer_of(*device, std::vector<float>(kCalls * 64, 1.0f));
  const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::affine), .flags = 0};
  std::vector<float> expected;
  for (std::size_t i = 0; i < kCalls; ++i) {
    const BufferRange part{x.get(), i * 256, 256};
    const UnaryParams params{64, 1.0f, static_cast<float>(i)};
    device->launch(KernelCall(KernelId::unary, spec, params).with(part).with(part));
    expected.insert(expected.end(), 64, 1.0f + static_cast<float>(i));
  }
  expect_values(values_of<float>(*device, *x), expected);
}

TEST_P(Contract, ACompiledListLeavesWhatItsCallsLeave) {
  const auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>(1000, 1.0f));
  const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::affine), .flags = 0};
  const KernelCall call =
      KernelCall(KernelId::unary, spec, UnaryParams{1000, 2.0f, 1.0f}).with(all_of(x)).with(all_of(x));
  const auto executable = device->compile({call, call});
  device->reset_counters();
  device->submit(*executable);
  device->submit(*executable);
  EXPECT_EQ(device->counters().launches[static_cast<std::size_t>(KernelId::unary)], 4u);
  EXPECT_EQ(device->counters().allocations, 0u);
  expect_values(values_of<float>(*device, *x), std::vector<float>(1000, 31.0f));
}

TEST_P(Contract, AnEmptyBufferAndACallWithoutElementsAreLegal) {
  const auto device = open();
  const BufferPtr buffer = device->allocate(0, MemoryKind::activations);
  EXPECT_EQ(buffer->bytes(), 0u);
  device->download(*buffer, 0, {});
  launch_affine(buffer, buffer, 1.0f, 1.0f);
  device->wait();
}

TEST_P(Contract, ADeviceMayGoWhileItWorks) {
  for (int repetition = 0; repetition < 5; ++repetition) {
    const auto device = open();
    const BufferPtr x = buffer_of(*device, std::vector<float>(1 << 20, 2.0f));
    for (int i = 0; i < 100; ++i) launch_affine(x, x, 1.0f, 1.0f);  // more than is queued at once
  }
}

TEST_P(Contract, TwoDevicesWorkSideBySide) {
  const auto one = open();
  const auto other = open();
  const BufferPtr x = buffer_of(*one, std::vector<float>{1.0f});
  const BufferPtr y = buffer_of(*other, std::vector<float>{2.0f});
  launch_affine(x, x, 2.0f, 0.0f);
  launch_affine(y, y, 2.0f, 0.0f);
  expect_values(values_of<float>(*one, *x), {2.0f});
  expect_values(values_of<float>(*other, *y), {4.0f});
}

TEST_P(Contract, MemoryIsReused) {
  const auto device = open();
  const auto step = [&] {
    const BufferPtr a = device->allocate(1000, MemoryKind::activations);
    const BufferPtr b = device->allocate(50 * kMebibyte, MemoryKind::gradients);
    const BufferPtr c = device->allocate(50 * kMebibyte, MemoryKind::gradients);
  };
  step();
  device->reset_counters();
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(device->counters().allocations, 0u);
}

TEST_P(Contract, MemoryIsAccountedByKindAndAtItsPeak) {
  const auto device = open();
  const auto kind = static_cast<std::size_t>(MemoryKind::gradients);
  const std::size_t before = device->memory().current_total;
  {
    const BufferPtr a = device->allocate(3 * kMebibyte, MemoryKind::gradients);
    EXPECT_GE(device->memory().current[kind], 3 * kMebibyte);
  }
  EXPECT_EQ(device->memory().current[kind], 0u);
  EXPECT_EQ(device->memory().current_total, before);
  EXPECT_GE(device->memory().peak[kind], 3 * kMebibyte);
}

TEST_P(Contract, ProfilingMeasuresEachKernelAndChangesNoResult) {
  const auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100000, 1.0f));
  device->set_profiling(true);
  launch_affine(x, x, 3.0f, 1.0f);
  const auto unary = static_cast<std::size_t>(KernelId::unary);
  EXPECT_GT(device->counters().seconds[unary], 0.0);
  EXPECT_LT(device->counters().seconds[unary], 10.0);
  const std::map<std::string, std::uint64_t>& paths = device->counters().paths[unary];
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_FALSE(paths.begin()->first.empty());
  EXPECT_EQ(paths.begin()->second, 1u);
  expect_values(values_of<float>(*device, *x), std::vector<float>(100000, 4.0f));
}

// --- refusals ---

TEST_P(Contract, ACallThatIsNotSupportedIsRefusedByKernelAndBackend) {
  const auto device = open();
  const BufferPtr x = device->allocate(80, MemoryKind::activations);
  const Spec spec{.types = {DType::f64, DType::f64}};
  const Support support = device->supports(KernelId::cast, spec);
  EXPECT_FALSE(support.path.empty());
  const KernelCall call = KernelCall(KernelId::cast, spec, CountParams{10}).with(all_of(x)).with(all_of(x));
  const std::string message = message_of([&] { device->launch(call); });
  if (support.supported) {
    EXPECT_EQ(message, "");
    return;
  }
  EXPECT_EQ(support.path, "cast is asked for f64 as in, which this backend does not have");
  EXPECT_NE(message.find(fmt::format("{} cannot run cast", GetParam().row.name)), std::string::npos) << message;
}

TEST_P(Contract, ARangeOutsideOfItsBufferIsRefused) {
  const auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>(4, 1.0f));
  const KernelCall cast(KernelId::cast, {}, CountParams{4});
  const auto launch = [&](BufferRange in, BufferRange out) {
    KernelCall call = cast;
    return message_of([&] { device->launch(call.with(in).with(out)); });
  };
  EXPECT_EQ(launch({x.get(), 4, 16}, all_of(x)), "kernel cast: 16 bytes at offset 4 leave buffer 'in' of 16 bytes");
  EXPECT_EQ(launch(all_of(x), {x.get(), 0, 12}), "kernel cast: buffer 'out' has 12 bytes, but 16 are needed");
  expect_values(values_of<float>(*device, *x), std::vector<float>(4, 1.0f));
}

TEST_P(Contract, BuffersOfTwoDevicesAreRefused) {
  const auto device = open();
  const auto other = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>(4, 1.0f));
  const BufferPtr elsewhere = buffer_of(*other, std::vector<float>(4, 1.0f));
  KernelCall call(KernelId::cast, {}, CountParams{4});
  EXPECT_EQ(message_of([&] { device->launch(call.with(all_of(x)).with(all_of(elsewhere))); }),
            "kernel cast: buffer 'out' lies on another device than those before it; copy it first");
}

std::string backend_name(const ::testing::TestParamInfo<TestedBackend>& info) { return std::string(info.param.name); }

INSTANTIATE_TEST_SUITE_P(, Contract, ::testing::ValuesIn(tested_backends()), backend_name);

}  // namespace
}  // namespace amphora::testing
