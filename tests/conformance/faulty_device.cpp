#include "conformance/faulty_device.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "amphora/core/dtype.h"
#include "amphora/device/registry.h"

namespace amphora::conformance {
namespace {

// f16 towards zero, for numbers that are normal in f16.
F16 truncated(float value) {
  const F16 nearest = to_f16(value);
  const bool too_large = std::abs(to_f32(nearest)) > std::abs(value);
  return {static_cast<std::uint16_t>(nearest.bits - (too_large ? 1 : 0))};
}

class FaultyDevice : public Device {
 public:
  FaultyDevice(std::shared_ptr<Device> device, Fault fault) : device_(std::move(device)), fault_(fault) {
    info_ = device_->info();
  }

 protected:
  std::string do_refuse(KernelId kernel, const Spec& spec) const override {
    const Support support = device_->supports(kernel, spec);
    return support.supported ? std::string() : support.path;
  }
  std::string do_path(KernelId kernel, const Spec& spec) const override { return device_->supports(kernel, spec).path; }
  // Buffers are the other device's; this one never looks at whose they are.
  BufferPtr do_allocate(std::size_t bytes, MemoryKind kind) override { return device_->allocate(bytes, kind); }
  void do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) override {
    device_->upload(target, offset, source);
  }
  std::unique_ptr<Readback> do_read(const Buffer& source, std::size_t offset, std::size_t bytes) override {
    return device_->read_later(source, offset, bytes);
  }
  void do_wait() override { device_->wait(); }

  void do_launch(const KernelCall& call) override {
    if (call.id == KernelId::cast) return launch_cast(call);
    if (call.id == KernelId::unscale) return launch_unscale(call);
    device_->launch(call);
  }

 private:
  template <class T>
  std::vector<T> read(const BufferRange& range) {
    std::vector<T> values(range.bytes / sizeof(T));
    device_->download(*range.buffer, range.offset, std::as_writable_bytes(std::span(values)));
    return values;
  }
  template <class T>
  void write(const BufferRange& range, std::size_t element, T value) {
    device_->upload(*range.buffer, range.offset + element * sizeof(T), std::as_bytes(std::span(&value, 1)));
  }

  void launch_cast(const KernelCall& call) {
    device_->launch(call);
    const BufferRange& in = call.at(op::cast::in);
    const BufferRange& out = call.at(op::cast::out);
    const std::uint32_t count = call.params<CountParams>().count;
    if (fault_ == Fault::write_past_end) write(out, out.bytes, std::byte{0});
    if (fault_ == Fault::changed_input) write(in, 0, std::byte{0x11});
    if (fault_ != Fault::truncating_cast || call.type_at(op::cast::in) != DType::f32 ||
        call.type_at(op::cast::out) != DType::f16)
      return;
    const auto values = read<float>(in);
    for (std::size_t i = 0; i < count; ++i) {
      if (std::isfinite(values[i])) write(out, i, truncated(values[i]).bits);
    }
  }

  void launch_unscale(const KernelCall& call) {
    const BufferRange& gradient = call.at(op::unscale::gradient);
    const auto values = read<float>(gradient);
    if (values.empty()) return device_->launch(call);
    const std::size_t last = values.size() - 1;
    if (fault_ == Fault::overlooked_inf) write(gradient, last, 0.0f);
    device_->launch(call);
    if (fault_ == Fault::overlooked_inf || fault_ == Fault::forgotten_element) write(gradient, last, values[last]);
    if (fault_ != Fault::overlooked_inf || !std::isfinite(values[last])) return;
    const auto state = read<float>(call.at(op::unscale::scaler));
    write(gradient, last, values[last] * (1.0f / state[0]));  // the arithmetic itself is right
  }

  std::shared_ptr<Device> device_;
  Fault fault_;
};

}  // namespace

std::string_view describe(Fault fault) {
  switch (fault) {
    case Fault::none: return "no fault";
    case Fault::truncating_cast: return "a cast to f16 that cuts off instead of rounding to nearest even";
    case Fault::forgotten_element: return "an unscale that forgets an element";
    case Fault::overlooked_inf: return "an unscale that overlooks an infinity";
    case Fault::write_past_end: return "a cast that writes past its output";
    case Fault::changed_input: return "a cast that changes its input";
  }
  return "";
}

std::shared_ptr<Device> open_faulty_device(Fault fault) {
  return std::make_shared<FaultyDevice>(open_device("cpu", {.threads = 1}), fault);
}

}  // namespace amphora::conformance
