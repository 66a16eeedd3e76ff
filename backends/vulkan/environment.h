// The environment variables that this backend listens to.
#pragma once

#include <string>

namespace amphora::vulkan {

struct Environment {
  bool cooperative_matrix = true;  // AMPHORA_VULKAN_COOPMAT=0: products by FMA alone
  bool bfloat16 = true;            // AMPHORA_VULKAN_BF16=0: no bf16 cooperative matrices
  bool validation = false;         // AMPHORA_VULKAN_VALIDATION=1: the validation layer's complaints are errors
};

// Read anew at each call. Throws Error for a value other than 0 and 1.
Environment environment();

}  // namespace amphora::vulkan
