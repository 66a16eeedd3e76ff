// A device that is broken on purpose: the cpu device, but for one fault.
#pragma once

#include <memory>
#include <string_view>

#include "amphora/device/device.h"

namespace amphora::conformance {

enum class Fault : int {
  none,               // to show that the device is right without a fault
  truncating_cast,    // f32 -> f16 cuts off instead of rounding to nearest even
  forgotten_element,  // unscale leaves the last element as it was
  overlooked_inf,     // unscale judges all elements but the last
  write_past_end,     // a cast writes one element too many
  changed_input,      // a cast clears the first element that it read
};
inline constexpr Fault kFaults[] = {Fault::truncating_cast, Fault::forgotten_element, Fault::overlooked_inf,
                                    Fault::write_past_end, Fault::changed_input};
std::string_view describe(Fault fault);

std::shared_ptr<Device> open_faulty_device(Fault fault);

}  // namespace amphora::conformance
