// Chosen algorithms, kept on disk by GPU, driver and version of cuBLASLt: a line a product, readable by
// people.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "backends/cuda/product_plan.h"

namespace amphora::cuda {

struct Choice {
  EpilogueMode mode = EpilogueMode::fused;
  double microseconds = 0.0;  // when it was timed
  cublasLtMatmulAlgo_t algo{};
};

class AlgorithmCache {
 public:
  // Reads what is there; a file that is damaged or of another device, driver, library or format is as good as none.
  explicit AlgorithmCache(const Capabilities& capabilities);
  ~AlgorithmCache();
  AlgorithmCache(const AlgorithmCache&) = delete;
  AlgorithmCache& operator=(const AlgorithmCache&) = delete;

  std::optional<Choice> find(const std::string& problem) const;
  // Keeps a choice, beside those that other processes have kept meanwhile. The file is written once a second at most,
  // and at the end. A folder that can't be written is no error.
  void keep(const std::string& problem, const Choice& choice);

 private:
  std::string header_;  // the first line
  std::string path_;    // empty: nowhere to write
  std::map<std::string, Choice> cache_;
  bool changed_ = false;
  std::chrono::steady_clock::time_point saved_;

  void save();
};

}  // namespace amphora::cuda
