#include "conformance/harness.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "backends/cpu/simd/targets.h"
#include "backends/registry.h"

namespace amphora::conformance {
namespace {

constexpr std::size_t kGuard = 64;
constexpr std::byte kPattern{0xA5};

Device& device() {
  static const std::shared_ptr<Device> shared = open_device("cpu", {.threads = 1});
  return *shared;
}

std::byte* data_of(const BufferRange& range) {
  const KernelCall call = KernelCall(KernelId::fill, {}, CountParams{}).with(range);
  return static_cast<std::byte*>(cpu::data_of(call, 0));
}

std::uint64_t fresh_seed() {
  const char* fixed = std::getenv("AMPHORA_TEST_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device()();
}

}  // namespace

Array::Array(DType type, std::size_t count)
    : type_(type), count_(count), buffer_(device().allocate(bytes() + 2 * kGuard, MemoryKind::activations)) {
  data_ = data_of(range());
  std::fill(data_ - kGuard, data_ + bytes() + kGuard, kPattern);
}

Array::Array(const Array& other) {
  if (!other.present()) return;
  *this = Array(other.type_, other.count_);
  std::memcpy(data_, other.data_, bytes());
}

Array& Array::operator=(const Array& other) { return *this = Array(other); }

BufferRange Array::range() const {
  if (!present()) return {};
  return {buffer_.get(), kGuard, bytes()};
}

Array Array::as(DType type) const {
  Array result(type, count_);
  for (std::size_t i = 0; i < count_; ++i) result.set(i, (*this)[i]);
  return result;
}

bool Array::same_bytes(const Array& other) const {
  return present() == other.present() &&
         (!present() || (bytes() == other.bytes() && std::memcmp(data_, other.data_, bytes()) == 0));
}

bool Array::guards_intact() const {
  const auto intact = [](std::byte value) { return value == kPattern; };
  return !present() ||
         (std::all_of(data_ - kGuard, data_, intact) && std::all_of(data_ + bytes(), data_ + bytes() + kGuard, intact));
}

Array Random::array(DType type, std::size_t count, double deviation) {
  Array result(type, count);
  for (std::size_t i = 0; i < count; ++i) result.set(i, normal(deviation));
  return result;
}

OnEveryTarget::OnEveryTarget() : seed_(fresh_seed()), random(seed_) {}

void OnEveryTarget::SetUp() {
  hwy::SetSupportedTargetsForTest(GetParam());
  hwy::GetChosenTarget().Update(GetParam());
}

void OnEveryTarget::TearDown() {
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  if (HasFailure()) ADD_FAILURE() << "to repeat this run: AMPHORA_TEST_SEED=" << seed_;
}

std::vector<std::int64_t> supported_targets() {
  std::vector<std::int64_t> targets;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    // SSSE3 is what Highway would generate by default, but not these kernels.
    if (target != HWY_SSSE3) targets.push_back(target);
  }
  return targets;
}

std::string target_test_name(const testing::TestParamInfo<std::int64_t>& info) { return hwy::TargetName(info.param); }

cpu::Threads& threads(int count) {
  static std::map<int, std::unique_ptr<cpu::Threads>> pools;
  auto& pool = pools[count];
  if (pool == nullptr) pool = std::make_unique<cpu::Threads>(count);
  return *pool;
}

std::vector<Array> run(cpu::Launcher launcher, const KernelCall& call, const std::vector<Array>& arrays,
                       int thread_count) {
  std::vector<Array> results = arrays;
  KernelCall bound = call;
  for (const Array& array : results) bound.with(array.range());
  launcher(bound, threads(thread_count));
  const KernelInfo& info = info_of(call.id);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_TRUE(results[i].guards_intact()) << info.name << " wrote outside of buffer " << i;
    if (info.access[i] == 'r' || info.access[i] == 'R') {
      EXPECT_TRUE(results[i].same_bytes(arrays[i]))
          << info.name << " changed buffer " << i << ", which it may only read";
    }
  }
  return results;
}

}  // namespace amphora::conformance
