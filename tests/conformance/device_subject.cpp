// Calls through Device, as the runtime makes them: uploaded, launched, downloaded.
#include <algorithm>
#include <cstring>
#include <utility>

#include "amphora/ops/fused.h"
#include "amphora/tensor/launch.h"
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

    std::vector<Tensor> tensors;
    auto next = placed.begin();
    for (const Array& array : arrays) {
      tensors.push_back(array.present() ? view_of(array, buffer, next++->begin) : Tensor());
    }
    run(call, tensors);

    device_->download(*buffer, 0, memory);
    for (const Placed& p : placed) {
      const auto target = p.array->with_guards();
      std::memcpy(target.data(), &memory[p.begin - Array::kGuard], target.size());
    }
  }

 protected:
  virtual void run(KernelCall call, const std::vector<Tensor>& tensors) {
    for (const Tensor& tensor : tensors) call.with(range_or_absent(tensor));
    device_->launch(call);
  }

 private:
  struct Layout {
    std::vector<Placed> placed;
    std::size_t bytes;
  };

  static Tensor view_of(const Array& array, const BufferPtr& buffer, std::size_t begin) {
    const Shape shape{static_cast<std::int64_t>(array.count())};
    const auto offset = static_cast<std::int64_t>(begin / size_of(array.type()));
    return Tensor(buffer, offset, shape, contiguous_strides(shape), array.type());
  }

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

class ComposedSubject : public DeviceSubject {
 public:
  ComposedSubject(std::string name, Accuracy accuracy, std::shared_ptr<Device> device)
      : DeviceSubject(std::move(name), accuracy, std::move(device)) {}

  Support supports(KernelId kernel, const Spec&) override {
    return is_fused(kernel) ? Support{true, "composed"} : Support{false, "it has no decomposition"};
  }

 protected:
  void run(KernelCall call, const std::vector<Tensor>& tensors) override { ops::compose(call, tensors); }
};

}  // namespace

std::unique_ptr<Subject> device_subject(std::string name, const Accuracy& accuracy, std::shared_ptr<Device> device) {
  return std::make_unique<DeviceSubject>(std::move(name), accuracy, std::move(device));
}

std::unique_ptr<Subject> composed_subject(std::string name, const Accuracy& accuracy, std::shared_ptr<Device> device) {
  Accuracy in_f32 = accuracy;
  in_f32.f64_tails = false;  // each of the kernels stores what it computes
  return std::make_unique<ComposedSubject>(std::move(name), in_f32, std::move(device));
}

}  // namespace amphora::conformance
