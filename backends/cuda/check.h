// Turns a status that is not success into an Error that says what was asked, what happened and what to do.
#pragma once

#include <string_view>

#include <cublasLt.h>
#include <cuda_runtime.h>

namespace amphora::cuda {

// Throws OutOfMemory for memory that ran out, else Error, unless `status` is success. `what` names what was asked:
// "launching adam". Every call of CUDA and cuBLASLt goes through one of these.
void check(cudaError_t status, std::string_view what);
void check(cublasStatus_t status, std::string_view what);

// Whether the error is of the kind after which the context answers nothing but errors: a fault in a kernel.
bool is_fatal(cudaError_t status);

}  // namespace amphora::cuda
