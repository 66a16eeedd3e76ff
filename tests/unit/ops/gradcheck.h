// Compares backward() with central differences, in f64 on the scalar oracle.
#pragma once

#include <functional>
#include <vector>

#include "support/cpu_test.h"

namespace amphora::testing {

// A tensor that a function is differentiated by, with random values from [low, high).
struct Input {
  Shape shape;
  double low = -1.0;
  double high = 1.0;
};

using Function = std::function<Tensor(const std::vector<Tensor>& inputs)>;

class GradCheck : public ::testing::Test {
 protected:
  // Every element of every input is moved by +-h. With L the weighted sum of the function's results (random weights)
  // the difference quotient D(h) is off by two errors: truncation, L'''/6 h^2 + O(h^4), of which D(2h) - D(h) is three
  // times as much; and rounding, some units of 2^-53 of the terms of L over h. The tolerance is the first difference
  // itself and 64 units; with h near the cube root of 2^-53 both are about 1e-8 for functions of order one.
  void check(const Function& function, const std::vector<Input>& inputs);
  // The same with given values.
  void check_at(const Function& function, const std::vector<Tensor>& inputs);

  Tensor random_tensor(const Input& input);

  std::shared_ptr<Device> device = open_device("cpu", {.threads = 1, .cpu_oracle = true});
  Random random;
};

}  // namespace amphora::testing
