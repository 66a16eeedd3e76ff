// The parameters of the plainest product.
#pragma once

#include <cstdint>

#include "amphora/kernel/shared/params.h"

namespace amphora {

// c = a b for dense row-major matrices: a is m x k, b is k x n.
constexpr MatmulParams dense_product(std::int32_t m, std::int32_t n, std::int32_t k) {
  return {.m = m,
          .n = n,
          .k = k,
          .batch = 1,
          .lda = k,
          .ldb = n,
          .ldc = n,
          .a_batch_stride = 0,
          .b_batch_stride = 0,
          .c_batch_stride = 0,
          .alpha = 1.0f,
          .beta = 0.0f};
}

}  // namespace amphora
