// Sequential: layers in a row.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "amphora/nn/module.h"
#include "amphora/plan/tracked.h"

namespace amphora::nn {

// Runs layers one after the other; they are named by their position.
class Sequential : public Layer {
 public:
  template <class... Layers>
  requires(std::derived_from<Layers, Layer>&&...) explicit Sequential(Layers... layers) {
    (add(std::make_shared<Layers>(std::move(layers))), ...);
  }
  // Throws Error for null.
  void add(std::shared_ptr<Layer> layer);
  std::size_t size() const { return layers_.size(); }
  // Throws Error where there is none.
  Layer& operator[](std::size_t position) const;
  void visit_parts(PartVisitor& visit) override { visit.list(layers_); }

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  std::vector<std::shared_ptr<Layer>> layers_;
  plan::Tracked<std::size_t> size_ = 0;  // of `layers_`: a recorded step is another one with more of them
};

}  // namespace amphora::nn
