// matmul stays within the error that f32 accumulation allows, for every mix of types, transposition and epilogue.
#include <cmath>

#include <fmt/format.h>

#include "conformance/mixes.h"
#include "conformance/product.h"

namespace amphora::conformance {
namespace {

// Matrix products have paths of their own, so this suite runs on the subjects that differ in nothing else, too.
AMPHORA_ON_SUBJECTS(Matmul, Part::products);

// Around the tiles of every path, and primes.
constexpr int kSizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 61, 63, 64, 65, 127, 128, 129, 255, 257};

// A product of random shape and everything else.
Product random_product(Random& random, const Mix<3>& types) {
  return {.m = random.one_of(kSizes),
          .n = random.one_of(kSizes),
          .k = random.one_of(kSizes),
          .transpose_a = random.coin(),
          .transpose_b = random.coin(),
          .a = types[0],
          .b = types[1],
          .c = types[2],
          .padding = random.coin() ? static_cast<int>(random.below(9)) : 0};
}

TEST_P(Matmul, EveryMixOfTypesAndTranspositionsIsInBounds) {
  for (const Mix<3>& types : type_mixes<3>(random)) {
    for (const bool transpose_a : kBoth) {
      for (const bool transpose_b : kBoth) {
        Product product = random_product(random, types);
        product.m = std::min(product.m, 65), product.n = std::min(product.n, 65), product.k = std::min(product.k, 65);
        product.transpose_a = transpose_a, product.transpose_b = transpose_b;
        expect_in_bounds(random, product);
      }
    }
  }
}

TEST_P(Matmul, ShapesAroundTilesAndVectorsAreInBounds) {
  // What training multiplies, forward and backward; long sums; single rows and columns.
  const int shapes[][3] = {{1, 1, 1},     {1, 7, 513},   {2, 1, 3},        {128, 10, 512},  {10, 512, 128},
                           {200, 3, 40},  {31, 257, 65}, {130, 260, 1030}, {10, 512, 4096}, {3, 5, 8191},
                           {1, 300, 300}, {300, 1, 300}, {64, 64, 64}};
  for (const auto& [m, n, k] : shapes) {
    const DType type = random.floating();
    for (const bool transpose_a : kBoth) {
      for (const bool transpose_b : kBoth) {
        if (Subject::current().compiles() && random.coin()) continue;
        Product product = random_product(random, {type, type, random.floating()});
        product.m = m, product.n = n, product.k = k;
        product.transpose_a = transpose_a, product.transpose_b = transpose_b;
        expect_in_bounds(random, product);
      }
    }
  }
}

TEST_P(Matmul, RandomShapesAreInBounds) {
  for (int repetition = 0; repetition < 30; ++repetition) {
    const DType type = kFloats[repetition % 3];
    expect_in_bounds(random, random_product(random, {type, type, random.floating()}));
  }
}

// Any order of summation is exact here, so a term that is left out or counted twice shows.
TEST_P(Matmul, Small_ProductsOfSmallIntegersAreExact) {
  for (int repetition = 0; repetition < 36; ++repetition) {
    const DType type = kFloats[repetition % 3];
    Product product = random_product(random, {type, type, DType::f32});
    product.transpose_a = repetition / 3 % 2 == 1, product.transpose_b = repetition / 6 % 2 == 1;
    if (repetition % 4 == 3) product.batch = static_cast<int>(1 + random.below(4));
    expect_exact(random, product);
  }
  for (const DType type : kFloats) {
    expect_exact(random, {.m = 10, .n = 512, .k = 4096, .transpose_a = true, .a = type, .b = type, .beta = 0.0f});
    expect_exact(random, {.m = 33, .n = 17, .k = 8209, .a = type, .b = type});
  }
}

TEST_P(Matmul, EveryEpilogueIsInBounds) {
  for (int activation = 0; activation <= static_cast<int>(Activation::tanh); ++activation) {
    for (const DType type : kFloats) {
      for (const bool has_bias : kBoth) {
        for (const bool has_aux : kBoth) {
          for (const float beta : {0.0f, 1.0f, -0.75f}) {
            // Bias, aux and beta are no part of a specialisation that has to be compiled; types and activation are.
            expect_in_bounds(random, {.m = static_cast<int>(1 + random.below(40)),
                                      .n = static_cast<int>(1 + random.below(40)),
                                      .k = static_cast<int>(1 + random.below(40)),
                                      .a = type,
                                      .b = type,
                                      .c = type,
                                      .bias = kFloats[(static_cast<int>(type) + activation) % 3],
                                      .has_bias = has_bias,
                                      .has_aux = has_aux,
                                      .activation = static_cast<Activation>(activation),
                                      .alpha = static_cast<float>(random.normal()),
                                      .beta = beta});
          }
        }
      }
    }
  }
}

TEST_P(Matmul, AnEpilogueCanMultiplyByADerivative) {
  for (int activation = 0; activation <= static_cast<int>(Activation::tanh); ++activation) {
    for (const DType type : kFloats) {
      expect_in_bounds(random, {.m = static_cast<int>(1 + random.below(40)),
                                .n = static_cast<int>(1 + random.below(40)),
                                .k = activation == 1 ? 4096 : static_cast<int>(1 + random.below(40)),
                                .a = type,
                                .b = type,
                                .c = random.floating(),
                                .has_bias = random.coin(),
                                .derivative = true,
                                .activation = static_cast<Activation>(activation),
                                .alpha = static_cast<float>(random.normal()),
                                .beta = random.coin() ? 1.0f : 0.0f,
                                .padding = static_cast<int>(random.below(3))});
    }
  }
}

TEST_P(Matmul, AnEpilogueCanSumColumnsForTheBiasGradient) {
  for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu, Activation::tanh}) {
    for (const DType type : kFloats) {
      expect_in_bounds(random, {.m = static_cast<int>(1 + random.below(300)),
                                .n = static_cast<int>(1 + random.below(70)),
                                .k = static_cast<int>(1 + random.below(40)),
                                .batch = static_cast<int>(1 + random.below(2)),
                                .transpose_b = random.coin(),
                                .a = type,
                                .b = type,
                                .c = random.coin() ? type : DType::f32,
                                .derivative = activation != Activation::none,
                                .bias_gradient = true,
                                .adds_bias_gradient = random.coin(),
                                .activation = activation,
                                .padding = random.coin() ? 0 : 3});
    }
  }
}

TEST_P(Matmul, Tf32CutsOperandsAndNothingElse) {
  for (int repetition = 0; repetition < 8; ++repetition) {
    Product product = random_product(random, {DType::f32, DType::f32, DType::f32});
    product.tf32 = true;
    expect_in_bounds(random, product);
    expect_exact(random, product);  // small integers have few digits
  }
}

TEST_P(Matmul, LongSumsHaveTheirEpilogueToo) {
  for (const DType type : kFloats) {
    expect_in_bounds(random, {.m = 10,
                              .n = 120,
                              .k = 4096,
                              .transpose_a = true,
                              .a = type,
                              .b = type,
                              .c = random.floating(),
                              .bias = DType::f32,
                              .has_bias = true,
                              .has_aux = random.coin(),
                              .activation = Activation::gelu,
                              .alpha = 0.0625f,
                              .beta = random.coin() ? 1.0f : 0.0f});
  }
}

TEST_P(Matmul, BatchesAreInBounds) {
  for (const DType type : kFloats) {
    expect_in_bounds(random, {.m = 9,
                              .n = 70,
                              .k = 33,
                              .batch = 7,
                              .transpose_b = true,
                              .a = type,
                              .b = type,
                              .c = type,
                              .alpha = 0.125f,
                              .padding = 2});
    expect_in_bounds(random,
                     {.m = 140, .n = 20, .k = 8, .batch = 3, .transpose_a = true, .a = type, .b = type, .beta = 1.0f});
  }
}

TEST_P(Matmul, MoreBatchesThanAGridIsWide) {
  expect_exact(random, {.m = 2, .n = 3, .k = 2, .batch = 66000, .a = DType::f16, .b = DType::f16});
}

TEST_P(Matmul, OneOperandCanServeAllBatches) {
  const Product product{.m = 5, .n = 6, .k = 7, .batch = 4, .a = DType::f16, .b = DType::f16};
  Problem problem = prepare(random, product, true);
  problem.params.b_batch_stride = 0;
  expect_oracle_bits(KernelId::matmul, problem.spec, problem.params, problem.arrays);
}

TEST_P(Matmul, AnEmptySumLeavesTheEpilogue) {
  for (const DType type : kFloats) {
    expect_in_bounds(
        random,
        {.m = 3, .n = 5, .k = 0, .a = type, .b = type, .c = type, .bias = type, .has_bias = true, .beta = 0.5f});
    expect_in_bounds(random, {.m = 3, .n = 5, .k = 0, .a = type, .b = type, .c = DType::f32});
  }
}

TEST_P(Matmul, NothingIsWrittenWhereASizeIsZero) {
  for (const DType type : kFloats) {
    for (const auto& [m, n, batch] : {std::array{0, 5, 1}, std::array{5, 0, 1}, std::array{5, 5, 0}}) {
      expect_in_bounds(random, {.m = m, .n = n, .k = 9, .batch = batch, .a = type, .b = type, .c = type});
    }
  }
}

// An infinity or NaN reaches the sums of its own row or column, and no others.
TEST_P(Matmul, WhatIsNotFiniteStaysInItsRowOrColumn) {
  for (const DType type : kFloats) {
    Problem problem = prepare(random, {.m = 37, .n = 29, .k = 45, .a = type, .b = type});
    problem.arrays[0].set(static_cast<std::size_t>(11 * 45 + random.below(45)), kInfinity);
    problem.arrays[1].set(static_cast<std::size_t>(random.below(45) * 29 + 7), std::nan(""));
    const Arrays actual = run_subject(KernelId::matmul, problem.spec, problem.params, problem.arrays);
    if (actual.empty()) continue;
    expect_same_kinds(actual[2], run_oracle_as_is(KernelId::matmul, problem.spec, problem.params, problem.arrays)[2]);
  }
}

// An activation hides no NaN, wherever it runs: overflow would pass for a result.
TEST_P(Matmul, WhatIsNotFinitePassesAnEpilogue) {
  constexpr int kSize = 16;  // wide, for paths that want that
  for (int activation = 0; activation <= static_cast<int>(Activation::tanh); ++activation) {
    for (const DType type : kFloats) {
      for (const bool has_bias : kBoth) {
        Problem problem = prepare(random, {.m = kSize,
                                           .n = kSize,
                                           .k = kSize,
                                           .a = type,
                                           .b = type,
                                           .c = type,
                                           .bias = type,
                                           .has_bias = has_bias,
                                           .activation = static_cast<Activation>(activation)});
        // A row of NaN; a column of b that is positive, with a row of a that is infinite.
        for (std::size_t k = 0; k < kSize; ++k) problem.arrays[1].set(k * kSize + 5, 1.0);
        for (std::size_t k = 0; k < kSize; ++k) problem.arrays[0].set(3 * kSize + k, k == 2 ? kInfinity : 1.0);
        problem.arrays[0].set(9 * kSize + random.below(kSize), std::nan(""));
        const Arrays actual = run_subject(KernelId::matmul, problem.spec, problem.params, problem.arrays);
        if (actual.empty()) continue;
        const Arrays expected = run_oracle_as_is(KernelId::matmul, problem.spec, problem.params, problem.arrays);
        for (std::size_t i = 9 * kSize; i < 10 * kSize; ++i) {
          expect(actual[2], std::isnan(actual[2][i]), fmt::format("element {} is {}, not NaN", i, actual[2][i]));
        }
        const std::size_t endless = 3 * kSize + 5;
        expect(actual[2], std::isinf(actual[2][endless]) == std::isinf(expected[2][endless]),
               fmt::format("element {} is {} where the oracle gives {}", endless, actual[2][endless],
                           expected[2][endless]));
      }
    }
  }
}

TEST_P(Matmul, BitsAreRepeatable) {
  for (const DType type : kFloats) {
    const Product wide{.m = 300,
                       .n = 290,
                       .k = 700,
                       .transpose_b = true,
                       .a = type,
                       .b = type,
                       .c = type,
                       .bias = type,
                       .has_bias = true,
                       .activation = Activation::gelu};
    const Product deep{.m = 10, .n = 512, .k = 4096, .transpose_a = true, .a = type, .b = type};
    for (const Product& product : {wide, deep}) {
      const Problem problem = prepare(random, product);
      expect_repeatable(KernelId::matmul, problem.spec, problem.params, problem.arrays);
    }
  }
}

}  // namespace
}  // namespace amphora::conformance
