// The emulator's cuBLASLt against plain loops, and what it refuses.
#include <array>
#include <cmath>
#include <functional>

#include "backends/cuda/cublaslt.h"
#include "cuda_emulator/emulator.h"
#include "cuda_emulator/machine.h"
#include "cuda_emulator/product.h"
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

constexpr int kRows = 24;
constexpr int kColumns = 17;
constexpr int kInner = 40;
constexpr int kBatch = 2;
constexpr std::size_t kMuch = std::size_t{32} << 20;

// Numbers of a type, rounded to it.
struct Numbers {
  Numbers(DType t, std::size_t count, const std::function<double(std::size_t)>& value)
      : type(t), bytes(count * size_of(t)) {
    for (std::size_t i = 0; i < count; ++i) store_element(type, bytes.data(), i, value(i));
  }
  double at(std::size_t i) const { return load_element(type, bytes.data(), i); }

  DType type;
  std::vector<std::byte> bytes;  // a vector's memory begins at a multiple of 16 bytes
};

struct Case {
  DType operand = DType::f16;
  DType result = DType::f16;
  bool transpose_a = false;
  bool transpose_b = false;
  bool tf32 = false;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  double fraction = 0.0;  // added to each number of a
};

// A product of small whole numbers, so that sums are exact, with columns that are longer than the matrix is high.
class ProductOnEmulator {
 public:
  explicit ProductOnEmulator(const Case& what) : c_(what), bias_(what.result, kBatch * kRows, values(5)) {
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, c_.epilogue);
    set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<void*>(bias_.bytes.data()));
    set(operation_, CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, std::int64_t{kRows});
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, static_cast<void*>(aux_.bytes.data()));
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, std::int64_t{kLeading});
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE, std::int64_t{kLeading * kColumns});
  }

  std::vector<cublasLtMatmulHeuristicResult_t> propose(std::size_t workspace = kMuch, int count = 8) const {
    std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(count));
    int returned = 0;
    const LtPreference preference = make_preference(workspace);
    refusal = cublasLtMatmulAlgoGetHeuristic(handle_.get(), operation_.get(), a_layout_.get(), b_layout_.get(),
                                             d_layout_.get(), d_layout_.get(), preference.get(), count, found.data(),
                                             &returned);
    found.resize(static_cast<std::size_t>(returned));
    return found;
  }

  cublasStatus_t run(const cublasLtMatmulHeuristicResult_t& how, std::size_t workspace = kMuch) {
    std::vector<std::byte> memory(workspace);
    return cublasLtMatmul(handle_.get(), operation_.get(), &kAlpha, a_.bytes.data(), a_layout_.get(), b_.bytes.data(),
                          b_layout_.get(), &kBeta, d_.bytes.data(), d_layout_.get(), d_.bytes.data(), d_layout_.get(),
                          &how.algo, memory.data(), workspace, nullptr);
  }

  // Of a whole run by one algorithm.
  void expect_right(const cublasLtMatmulHeuristicResult_t& how) {
    const Numbers d = d_, bias = bias_, aux = aux_;
    ASSERT_EQ(run(how), CUBLAS_STATUS_SUCCESS);
    for (std::size_t batch = 0; batch < kBatch; ++batch) {
      std::vector<double> row_sums(kRows), row_sizes(kRows), a_sums(kRows), b_sums(kColumns);
      for (std::size_t column = 0; column < kColumns; ++column) {
        for (std::size_t row = 0; row < kRows; ++row) {
          const std::size_t i = batch * kLeading * kColumns + column * kLeading + row;
          double sum = 0.0;
          for (std::size_t k = 0; k < kInner; ++k) sum += a_at(row, k, batch) * b_at(k, column, batch);
          double value = static_cast<double>(kAlpha) * sum + static_cast<double>(kBeta) * d.at(i);
          if (is_any({CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_GELU_BIAS,
                      CUBLASLT_EPILOGUE_GELU_AUX_BIAS})) {
            value += bias.at(batch * kRows + row);
          }
          if (is_any({CUBLASLT_EPILOGUE_GELU_AUX, CUBLASLT_EPILOGUE_GELU_AUX_BIAS})) expect_near(aux_.at(i), value);
          if (is_any({CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU_BIAS})) value = std::max(value, 0.0);
          if (is_any({CUBLASLT_EPILOGUE_GELU, CUBLASLT_EPILOGUE_GELU_BIAS, CUBLASLT_EPILOGUE_GELU_AUX,
                      CUBLASLT_EPILOGUE_GELU_AUX_BIAS})) {
            value = gelu(value);
          }
          if (is_any({CUBLASLT_EPILOGUE_DGELU, CUBLASLT_EPILOGUE_DGELU_BGRAD})) {
            constexpr double kStep = 1e-4;  // a difference quotient's error is below 1e-7 here
            value *= (gelu(aux.at(i) + kStep) - gelu(aux.at(i) - kStep)) / (2.0 * kStep);
          }
          expect_near(d_.at(i), value);
          row_sums[row] += value;
          row_sizes[row] += std::abs(value);
        }
      }
      for (std::size_t k = 0; k < kInner; ++k) {
        for (std::size_t row = 0; row < kRows; ++row) a_sums[row] += a_at(row, k, batch);
        for (std::size_t column = 0; column < kColumns; ++column) b_sums[column] += b_at(k, column, batch);
      }
      for (std::size_t i = 0; i < kRows; ++i) {
        const double written = bias_.at(batch * kRows + i);
        if (is_any({CUBLASLT_EPILOGUE_DGELU_BGRAD})) expect_near(written, row_sums[i], row_sizes[i]);
        if (is_any({CUBLASLT_EPILOGUE_BGRADA})) expect_near(written, a_sums[i]);
        if (is_any({CUBLASLT_EPILOGUE_BGRADB}) && i < kColumns) expect_near(written, b_sums[i]);
      }
    }
  }

  template <class T>
  void change(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    set(operation_, attribute, value);
  }
  std::byte* aux() { return aux_.bytes.data(); }

  mutable cublasStatus_t refusal = CUBLAS_STATUS_SUCCESS;

 private:
  static constexpr int kLeading = 32;
  static constexpr int kLeadingInner = 48;
  static constexpr float kAlpha = 0.5f;
  static constexpr float kBeta = 2.0f;

  static double gelu(double x) { return 0.5 * x * (1.0 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }
  static std::function<double(std::size_t)> values(std::size_t key) {
    return [key](std::size_t i) { return static_cast<double>((i * (2 * key + 3) + i / 7) % 7) - 3.0; };
  }

  bool is_any(std::initializer_list<cublasLtEpilogue_t> epilogues) const {
    return std::find(epilogues.begin(), epilogues.end(), c_.epilogue) != epilogues.end();
  }
  // Sums of a product are exact; a few roundings in f32 follow, and one to the type.
  void expect_near(double actual, double expected) const { expect_near(actual, expected, std::abs(expected)); }
  void expect_near(double actual, double expected, double magnitude) const {
    const double unit = c_.result == DType::f32 ? 0x1p-20 : c_.result == DType::f16 ? 0x1p-11 : 0x1p-8;
    EXPECT_NEAR(actual, expected, unit * std::max(1.0, magnitude));
  }
  double a_at(std::size_t row, std::size_t k, std::size_t batch) const {
    const double value = a_.at(batch * kSize + (c_.transpose_a ? k + row * kLeadingInner : row + k * kLeadingInner));
    if (!c_.tf32) return value;
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
  }
  double b_at(std::size_t k, std::size_t column, std::size_t batch) const {
    return b_.at(batch * kSize + (c_.transpose_b ? column + k * kLeadingInner : k + column * kLeadingInner));
  }
  LtLayout operand_layout(int rows, int columns, bool transpose) const {
    return make_layout(c_.operand,
                       {static_cast<std::uint64_t>(transpose ? columns : rows),
                        static_cast<std::uint64_t>(transpose ? rows : columns), kLeadingInner, kBatch, kSize});
  }

  static constexpr std::int64_t kSize = 48 * 48;
  Case c_;
  Numbers a_{c_.operand, kBatch* kSize, [this](std::size_t i) { return values(1)(i) + c_.fraction; }};
  Numbers b_{c_.operand, kBatch* kSize, values(2)};
  Numbers d_{c_.result, kBatch* kLeading* kColumns, values(3)};
  Numbers aux_{c_.result, kBatch* kLeading* kColumns, values(4)};
  Numbers bias_;
  LtHandle handle_ = make_handle();
  LtOperation operation_ = make_operation(c_.tf32, c_.transpose_a, c_.transpose_b);
  LtLayout a_layout_ = operand_layout(kRows, kInner, c_.transpose_a);
  LtLayout b_layout_ = operand_layout(kInner, kColumns, c_.transpose_b);
  LtLayout d_layout_ = make_layout(c_.result, {kRows, kColumns, kLeading, kBatch, kLeading* kColumns});
};

TEST(CudaEmulatorProducts, AreRightWithEveryAlgorithmTypeAndTranspose) {
  for (const auto& [operand, result] : std::vector<std::pair<DType, DType>>{{DType::f32, DType::f32},
                                                                            {DType::f16, DType::f16},
                                                                            {DType::f16, DType::f32},
                                                                            {DType::bf16, DType::bf16},
                                                                            {DType::bf16, DType::f32}}) {
    for (const int bits : {0, 1, 2, 3}) {
      SCOPED_TRACE(fmt::format("{} to {}, transposes {}", name_of(operand), name_of(result), bits));
      const Case what{operand, result, (bits & 1) != 0, (bits & 2) != 0, operand == DType::f32 && bits == 3};
      const auto proposals = ProductOnEmulator(what).propose();
      ASSERT_EQ(proposals.size(), static_cast<std::size_t>(emulator::kAlgorithms));
      for (const auto& proposal : proposals) ProductOnEmulator(what).expect_right(proposal);
    }
  }
}

// 2^-14 is lost beside 1, and is not lost alone.
TEST(CudaEmulatorProducts, Tf32RoundsItsOperands) {
  for (const bool tf32 : {false, true}) {
    ProductOnEmulator product({.operand = DType::f32, .result = DType::f32, .tf32 = tf32, .fraction = 0x1p-14});
    product.expect_right(product.propose().front());
  }
}

TEST(CudaEmulatorProducts, EveryEpilogueIsRight) {
  for (const auto epilogue :
       {CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_GELU,
        CUBLASLT_EPILOGUE_GELU_BIAS, CUBLASLT_EPILOGUE_GELU_AUX, CUBLASLT_EPILOGUE_GELU_AUX_BIAS,
        CUBLASLT_EPILOGUE_DGELU, CUBLASLT_EPILOGUE_DGELU_BGRAD, CUBLASLT_EPILOGUE_BGRADA, CUBLASLT_EPILOGUE_BGRADB}) {
    for (const DType result : {DType::f32, DType::f16}) {
      SCOPED_TRACE(fmt::format("epilogue {}, {}", static_cast<int>(epilogue), name_of(result)));
      ProductOnEmulator product({.result = result, .epilogue = epilogue});
      const auto proposals = product.propose();
      ASSERT_FALSE(proposals.empty());
      product.expect_right(proposals.back());
    }
  }
}

TEST(CudaEmulatorProducts, ProposalsKeepToWhatIsAskedFor) {
  const ProductOnEmulator product({});
  EXPECT_EQ(product.propose(kMuch, 1).size(), 1u);
  for (const auto& proposal : product.propose(std::size_t{4} << 20)) EXPECT_LE(proposal.workspaceSize, 4u << 20);
  EXPECT_EQ(product.propose(0).size(), 2u);
  const auto before = emulator::product_counts().heuristics;
  product.propose();
  EXPECT_EQ(emulator::product_counts().heuristics, before + 1);
}

TEST(CudaEmulatorProducts, WhatCuBlasLtDoesNotMultiplyIsRefused) {
  const auto refusal_of = [](const Case& what) {
    const ProductOnEmulator product(what);
    EXPECT_TRUE(product.propose().empty());
    return product.refusal;
  };
  EXPECT_EQ(refusal_of({DType::f32, DType::f16}), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(refusal_of({DType::f16, DType::bf16}), CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(refusal_of({.tf32 = true}), CUBLAS_STATUS_NOT_SUPPORTED);
  // cuBLASLt has it, but nothing here uses it, so the emulator leaves it out.
  EXPECT_EQ(refusal_of({.epilogue = CUBLASLT_EPILOGUE_RELU_AUX}), CUBLAS_STATUS_NOT_SUPPORTED);
  const Machine turing("capability=7.5");
  EXPECT_EQ(refusal_of({DType::bf16, DType::bf16}), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST(CudaEmulatorProducts, TheMatrixOfGeluBeginsItsColumnsAtMultiplesOf16Bytes) {
  ProductOnEmulator narrow({.epilogue = CUBLASLT_EPILOGUE_GELU_AUX});
  narrow.change(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, std::int64_t{36});
  EXPECT_TRUE(narrow.propose().empty());
  EXPECT_EQ(narrow.refusal, CUBLAS_STATUS_NOT_SUPPORTED);
  ProductOnEmulator shifted({.epilogue = CUBLASLT_EPILOGUE_GELU_AUX});
  shifted.change(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, static_cast<void*>(shifted.aux() + 8));
  EXPECT_TRUE(shifted.propose().empty());
  EXPECT_EQ(shifted.refusal, CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST(CudaEmulatorProducts, ABiasThatIsNotWideLeavesTheFirstAlgorithm) {
  alignas(16) std::array<std::byte, 256> bytes{};
  ProductOnEmulator product({.epilogue = CUBLASLT_EPILOGUE_BIAS});
  product.change(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<void*>(bytes.data()));
  const auto proposals = product.propose();
  EXPECT_EQ(proposals.size(), static_cast<std::size_t>(emulator::kAlgorithms));
  product.change(CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<void*>(bytes.data() + 4));
  EXPECT_EQ(product.propose().size(), 1u);
  EXPECT_EQ(product.run(proposals.back()), CUBLAS_STATUS_NOT_SUPPORTED);
}

// What heuristics say of a product of f16 with as many rows, columns and terms as given.
cublasStatus_t propose(int rows, int terms_of_a, int terms_of_b, std::uint32_t alignment, int* count) {
  const auto size = [](int n) { return static_cast<std::uint64_t>(n); };
  const LtHandle handle = make_handle();
  const LtOperation operation = make_operation(false, false, false);
  const LtLayout a = make_layout(DType::f16, {size(rows), size(terms_of_a), rows});
  const LtLayout b = make_layout(DType::f16, {size(terms_of_b), 8, terms_of_b});
  const LtLayout d = make_layout(DType::f16, {size(rows), 8, rows});
  const LtPreference preference = make_preference(kMuch);
  set_alignment(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment);
  std::array<cublasLtMatmulHeuristicResult_t, 8> found{};
  return cublasLtMatmulAlgoGetHeuristic(handle.get(), operation.get(), a.get(), b.get(), d.get(), d.get(),
                                        preference.get(), static_cast<int>(found.size()), found.data(), count);
}

TEST(CudaEmulatorProducts, ColumnsThatAreNotWideLeaveTheFirstAlgorithm) {
  int count = 0;
  ASSERT_EQ(propose(16, 24, 24, 16, &count), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(count, emulator::kAlgorithms);
  ASSERT_EQ(propose(17, 24, 24, 16, &count), CUBLAS_STATUS_SUCCESS);  // leading dimension
  EXPECT_EQ(count, 1);
  ASSERT_EQ(propose(16, 24, 24, 4, &count), CUBLAS_STATUS_SUCCESS);  // pointer
  EXPECT_EQ(count, 1);
  EXPECT_EQ(propose(16, 24, 32, 16, &count), CUBLAS_STATUS_INVALID_VALUE);  // shapes that do not fit
  EXPECT_EQ(count, 0);
}

float product_of_numbers(float a, float b, float c, float beta, bool tf32) {
  const emulator::Matrix one{.rows = 1, .columns = 1, .leading = 1};
  float d = 0.0f;
  emulator::multiply({.a = one, .b = one, .c = one, .d = one, .tf32 = tf32}, {&a, &b, &c, &d, 1.0f, beta}, 1);
  return d;
}

TEST(CudaEmulatorProducts, Tf32HasTenBitsRoundedToNearestEven) {
  EXPECT_EQ(product_of_numbers(1.0f + 0x1p-11f, 1.0f, 0.0f, 0.0f, true), 1.0f);
  EXPECT_EQ(product_of_numbers(1.0f + 0x1p-11f + 0x1p-20f, 1.0f, 0.0f, 0.0f, true), 1.0f + 0x1p-10f);
  EXPECT_EQ(product_of_numbers(1.0f, 1.0f + 0x1.8p-10f, 0.0f, 0.0f, true), 1.0f + 0x1p-9f);
  EXPECT_EQ(product_of_numbers(1.0f + 0x1p-11f, 1.0f, 0.0f, 0.0f, false), 1.0f + 0x1p-11f);
}

TEST(CudaEmulatorProducts, WithoutBetaNobodyReadsC) {
  const float nan = std::nanf("");
  EXPECT_EQ(product_of_numbers(2.0f, 3.0f, nan, 0.0f, false), 6.0f);
  EXPECT_TRUE(std::isnan(product_of_numbers(2.0f, 3.0f, nan, 1.0f, false)));
}

TEST(CudaEmulatorProducts, AnAlgorithmNeedsItsWorkspace) {
  ProductOnEmulator product({});
  const auto proposals = product.propose();
  EXPECT_EQ(product.run(proposals.front(), 0), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product.run(proposals.back(), proposals.back().workspaceSize - 1), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(product.run({}), CUBLAS_STATUS_INVALID_VALUE);  // no algorithm of this library
}

TEST(CudaEmulatorProducts, ATestSaysWhatAProductTakes) {
  ProductOnEmulator product({});
  emulator::set_product_time([](int algorithm, unsigned epilogue) { return 1000.0 * algorithm + epilogue; });
  const double before = emulator::device_time();
  product.run(product.propose()[1]);
  EXPECT_EQ(emulator::device_time() - before, 1001.0);
  emulator::set_product_time({});
}

}  // namespace
}  // namespace amphora::cuda
