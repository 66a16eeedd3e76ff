// What cuBLASLt's handles point to.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <map>

#include <cublasLt.h>

#include "cuda_emulator/product.h"

namespace amphora::emulator {

// Values of attributes by number; each has at most eight bytes.
class Attributes {
 public:
  cublasStatus_t set(int attribute, const void* value, std::size_t bytes, std::size_t expected) {
    if (value == nullptr || bytes != expected) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(values_[attribute].data(), value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  }

  template <class T>
  T get(int attribute, T otherwise) const {
    const auto found = values_.find(attribute);
    if (found == values_.end()) return otherwise;
    T value;
    std::memcpy(&value, found->second.data(), sizeof(T));
    return value;
  }

 private:
  std::map<int, std::array<std::byte, 8>> values_;
};

struct Operation : cublasLtMatmulDescOpaque_t {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  Attributes attributes;
};
struct Layout : cublasLtMatrixLayoutOpaque_t {
  Matrix matrix;
};
struct Preference : cublasLtMatmulPreferenceOpaque_t {
  Attributes attributes;
};

}  // namespace amphora::emulator
