// The environment variables that this backend listens to.
#pragma once

namespace amphora::cuda {

struct Environment {
  bool tune = true;          // AMPHORA_CUDA_TUNE=0: products take cuBLASLt's first heuristic, untimed
  bool synchronous = false;  // AMPHORA_CUDA_SYNC=1: wait after each kernel, so that a fault is seen where it happens
};

// Read anew at each call. Throws Error for a value other than 0 and 1.
Environment environment();

}  // namespace amphora::cuda
