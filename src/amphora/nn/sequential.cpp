#include "amphora/nn/sequential.h"

#include "amphora/core/error.h"

namespace amphora::nn {

void Sequential::add(std::shared_ptr<Layer> layer) {
  require(layer != nullptr, "a null layer was added to a Sequential of {}", size());
  layers_.push_back(std::move(layer));
  size_ = layers_.size();
}

Layer& Sequential::operator[](std::size_t position) const {
  require(position < size(), "layer {} of a Sequential of {}", position, size());
  return *layers_[position];
}

Tensor Sequential::forward(const Tensor& x) {
  size_.depend();
  Tensor y = x;
  for (const auto& layer : layers_) y = (*layer)(y);
  return y;
}

}  // namespace amphora::nn
