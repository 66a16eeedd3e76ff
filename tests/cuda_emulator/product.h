// A product as cuBLASLt defines it: column-major matrices, an epilogue over f32 sums.
#pragma once

#include <cstdint>

#include <cublasLt.h>

namespace amphora::emulator {

struct Matrix {
  cudaDataType_t type = CUDA_R_32F;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::int64_t leading = 0;
  std::int32_t batch = 1;
  std::int64_t batch_stride = 0;
};

struct Product {
  Matrix a, b, c, d;
  bool transpose_a = false;
  bool transpose_b = false;
  bool tf32 = false;
  unsigned epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  // Of the bias, or of the bias's gradient.
  void* bias = nullptr;
  cudaDataType_t bias_type = CUDA_R_32F;
  std::int64_t bias_stride = 0;
  void* aux = nullptr;
  cudaDataType_t aux_type = CUDA_R_32F;
  std::int64_t aux_leading = 0;
  std::int64_t aux_stride = 0;
};

struct ProductPointers {
  const void* a;
  const void* b;
  const void* c;
  void* d;
  float alpha;
  float beta;
};

std::size_t size_of(cudaDataType_t type);

// Sums over k are cut in so many pieces.
void multiply(const Product& product, const ProductPointers& pointers, int pieces);

}  // namespace amphora::emulator
