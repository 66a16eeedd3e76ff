#include "cuda_emulator/product.h"

#include <bit>
#include <cmath>
#include <functional>
#include <vector>

#include <cblas.h>

#include "amphora/core/dtype.h"

namespace amphora::emulator {
namespace {

float get(cudaDataType_t type, const void* data, std::size_t i) {
  switch (type) {
    case CUDA_R_16F: return to_f32(static_cast<const F16*>(data)[i]);
    case CUDA_R_16BF: return to_f32(static_cast<const BF16*>(data)[i]);
    default: return static_cast<const float*>(data)[i];
  }
}

void put(cudaDataType_t type, void* data, std::size_t i, float value) {
  switch (type) {
    case CUDA_R_16F: static_cast<F16*>(data)[i] = to_f16(value); break;
    case CUDA_R_16BF: static_cast<BF16*>(data)[i] = to_bf16(value); break;
    default: static_cast<float*>(data)[i] = value;
  }
}

// 10 bits behind the point, to nearest even.
float round_to_tf32(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7F800000u) == 0x7F800000u) return x;
  return std::bit_cast<float>((bits + 0xFFFu + (bits >> 13 & 1u)) & ~0x1FFFu);
}

std::size_t place(std::int64_t row, std::int64_t column, std::int64_t leading, std::int64_t batch,
                  std::int64_t stride) {
  return static_cast<std::size_t>(row + column * leading + batch * stride);
}

struct Dense {
  int rows = 0;
  int columns = 0;
  std::vector<float> values;
  float& at(int row, int column) {
    return values[static_cast<std::size_t>(column) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row)];
  }
};

// op(a) of one batch, in f32.
Dense widened(const Matrix& m, const void* data, bool transpose, bool tf32, int batch) {
  Dense result;
  result.rows = static_cast<int>(transpose ? m.columns : m.rows);
  result.columns = static_cast<int>(transpose ? m.rows : m.columns);
  result.values.resize(m.rows * m.columns);
  for (int column = 0; column < result.columns; ++column) {
    for (int row = 0; row < result.rows; ++row) {
      const std::size_t i = transpose ? place(column, row, m.leading, batch, m.batch_stride)
                                      : place(row, column, m.leading, batch, m.batch_stride);
      const float value = get(m.type, data, i);
      result.at(row, column) = tf32 ? round_to_tf32(value) : value;
    }
  }
  return result;
}

Dense sums_of(Dense& a, Dense& b, int pieces) {
  Dense sums{a.rows, b.columns, {}};
  sums.values.assign(static_cast<std::size_t>(a.rows) * static_cast<std::size_t>(b.columns), 0.0f);
  const int k = a.columns;
  for (int piece = 0; piece < pieces; ++piece) {
    const int begin = k * piece / pieces;
    const int end = k * (piece + 1) / pieces;
    if (begin == end) continue;
    cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, a.rows, b.columns, end - begin, 1.0f, &a.at(0, begin),
                a.rows, &b.at(begin, 0), b.rows, 1.0f, sums.values.data(), a.rows);
  }
  return sums;
}

constexpr double kRoot = 0.7978845608028654;  // of 2/pi
constexpr double kCubic = 0.044715;

float gelu(float value) {
  const auto x = static_cast<double>(value);
  return static_cast<float>(0.5 * x * (1.0 + std::tanh(kRoot * (x + kCubic * x * x * x))));
}

float gelu_derivative(float value) {
  const auto x = static_cast<double>(value);
  const double t = std::tanh(kRoot * (x + kCubic * x * x * x));
  return static_cast<float>(0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * kRoot * (1.0 + 3.0 * kCubic * x * x));
}

// One number's way from its sum to d; notes what belongs in aux.
float finish(const Product& p, float value, int row, std::size_t aux, int batch) {
  if ((p.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0)
    value += get(p.bias_type, p.bias, place(row, 0, 0, batch, p.bias_stride));
  switch (p.epilogue) {
    case CUBLASLT_EPILOGUE_RELU:
    case CUBLASLT_EPILOGUE_RELU_BIAS: return value < 0.0f ? 0.0f : value;  // a NaN stays
    case CUBLASLT_EPILOGUE_GELU_AUX:
    case CUBLASLT_EPILOGUE_GELU_AUX_BIAS: put(p.aux_type, p.aux, aux, value); return gelu(value);
    case CUBLASLT_EPILOGUE_GELU:
    case CUBLASLT_EPILOGUE_GELU_BIAS: return gelu(value);
    case CUBLASLT_EPILOGUE_DGELU:
    case CUBLASLT_EPILOGUE_DGELU_BGRAD: return value * gelu_derivative(get(p.aux_type, p.aux, aux));
    default: return value;
  }
}

// The gradient of the bias: the sums of the rows of a matrix, or of its columns.
void put_sums(const Product& p, Dense& m, bool of_columns, int batch) {
  const int count = of_columns ? m.columns : m.rows;
  for (int i = 0; i < count; ++i) {
    float sum = 0.0f;
    for (int j = 0; j < (of_columns ? m.rows : m.columns); ++j) sum += of_columns ? m.at(j, i) : m.at(i, j);
    put(p.bias_type, p.bias, place(i, 0, 0, batch, p.bias_stride), sum);
  }
}

}  // namespace

std::size_t size_of(cudaDataType_t type) { return type == CUDA_R_32F ? 4 : 2; }

void multiply(const Product& p, const ProductPointers& pointers, int pieces) {
  for (int batch = 0; batch < p.d.batch; ++batch) {
    Dense a = widened(p.a, pointers.a, p.transpose_a, p.tf32, batch);
    Dense b = widened(p.b, pointers.b, p.transpose_b, p.tf32, batch);
    if (p.epilogue == CUBLASLT_EPILOGUE_BGRADA) put_sums(p, a, false, batch);
    if (p.epilogue == CUBLASLT_EPILOGUE_BGRADB) put_sums(p, b, true, batch);
    Dense sums = sums_of(a, b, pieces);
    for (int column = 0; column < sums.columns; ++column) {
      for (int row = 0; row < sums.rows; ++row) {
        float value = pointers.alpha * sums.at(row, column);
        if (pointers.beta != 0.0f) {
          value += pointers.beta * get(p.c.type, pointers.c, place(row, column, p.c.leading, batch, p.c.batch_stride));
        }
        value = finish(p, value, row, place(row, column, p.aux_leading, batch, p.aux_stride), batch);
        sums.at(row, column) = value;
        put(p.d.type, pointers.d, place(row, column, p.d.leading, batch, p.d.batch_stride), value);
      }
    }
    if (p.epilogue == CUBLASLT_EPILOGUE_DGELU_BGRAD) put_sums(p, sums, false, batch);
  }
}

}  // namespace amphora::emulator
