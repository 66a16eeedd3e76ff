#include "amphora/core/dtype.h"

namespace amphora {

double load_element(DType type, const void* data, std::size_t index) {
  return visit_dtype(type, [&]<class T>() { return load_element(static_cast<const T*>(data)[index]); });
}

void store_element(DType type, void* data, std::size_t index, double value) {
  visit_dtype(type, [&]<class T>() { static_cast<T*>(data)[index] = round_element<T>(value); });
}

}  // namespace amphora
