#include "amphora/core/narrow.h"

#include <string>

#include "amphora/core/context.h"
#include "amphora/core/error.h"

namespace amphora {

void refuse_size(std::int64_t size, std::string_view what, std::int64_t largest) {
  const std::string place = describe(context().place);
  fail("{}: the {} is {}, but kernels take {} at most; split the tensors, for example into smaller batches",
       place.empty() ? "a tensor outside of ops" : place, what, size, largest);
}

}  // namespace amphora
