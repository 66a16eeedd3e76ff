#include "amphora/core/context.h"

namespace amphora {

Context& context() {
  thread_local Context current;
  return current;
}

}  // namespace amphora
