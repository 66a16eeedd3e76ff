// Calls through Device, as the runtime makes them: uploaded, launched, downloaded.
#include <algorithm>
#include <cstring>
#include <utility>

#include "conformance/subject.h"

namespace amphora::conformance {
namespace {

// Where an array's elements begin in the device buffer that all arrays of a call share.
struct Placed {
  Array* array;
  std::size_t begin;
};

class DeviceSubject : public Subject {
 public:
  DeviceSubject(std::string name, const Accuracy& accuracy, std::shared_ptr<Device> device)
      : Subject(std::move(name), accuracy), device_(std::move(device)) {}

  bool compiles() const override { return device_->info().backend != "cpu"; }

  Support supports(KernelId kernel, const Spec& spec) override { return device_->supports(kernel, spec); }

  void launch(const KernelCall& call, std::vector<Array>& arrays, int /*threads*/) override {
    const auto [placed, bytes] = place(call.id, arrays);
    std::vector<std::byte> memory(bytes, Array::kPattern);
    for (const Placed& p : placed) std::memcpy(&memory[p.begin], p.array->data(), p.array->bytes());
    const BufferPtr buffer = device_->allocate(bytes, MemoryKind::activations);
    device_->upload(*buffer, 0, memory);

    KernelCall bound = call;
    auto next = placed.begin();
    for (Array& array : arrays) {
      bound.with(array.present() ? BufferRange{buffer.get(), next++->begin, array.bytes()} : BufferRange{});
    }
    device_->launch(bound);

    device_->download(*buffer, 0, memory);
    for (const Placed& p : placed) {
      const auto target = p.array->with_guards();
      std::memcpy(target.data(), &memory[p.begin - Array::kGuard], target.size());
    }
  }

 private:
  struct Layout {
    std::vector<Placed> placed;
    std::size_t bytes;
  };

  // Half of the arrays begin at a multiple of 64 bytes, the others anywhere that their elements allow. The same call
  // always gets the same layout.
  static Layout place(KernelId kernel, std::vector<Array>& arrays) {
    std::uint64_t key = run_seed() + static_cast<std::uint64_t>(kernel);
    for (const Array& array : arrays) key = key * 0x9E37'79B9'7F4A'7C15ull + array.bytes();
    Random random(key);
    Layout layout{{}, Array::kGuard};
    for (Array& array : arrays) {
      if (!array.present()) continue;
      std::size_t begin = (layout.bytes + 63) / 64 * 64;
      if (random.coin()) begin += static_cast<std::size_t>(random.below(32)) * size_of(array.type());
      const auto shared = std::find_if(layout.placed.begin(), layout.placed.end(),
                                       [&array](const Placed& p) { return p.array->data() == array.data(); });
      if (shared != layout.placed.end()) {  // one array over another
        layout.placed.push_back({&array, shared->begin});
        continue;
      }
      layout.placed.push_back({&array, begin});
      layout.bytes = begin + array.bytes() + 2 * Array::kGuard;  // the end's guard, and the next one's
    }
    return layout;
  }

  std::shared_ptr<Device> device_;
};

}  // namespace

std::unique_ptr<Subject> device_subject(std::string name, const Accuracy& accuracy, std::shared_ptr<Device> device) {
  return std::make_unique<DeviceSubject>(std::move(name), accuracy, std::move(device));
}

}  // namespace amphora::conformance
