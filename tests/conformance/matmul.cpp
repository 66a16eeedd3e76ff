// matmul stays within the error that f32 accumulation allows, for every mix of types, transposition and epilogue.
#include <vector>

#include "conformance/interval.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Matmul);

struct Case {
  int m, n, k;
  int batch = 1;
  bool transpose_a = false, transpose_b = false;
  DType a = DType::f32, b = DType::f32, c = DType::f32, bias = DType::f32;
  bool has_bias = false, has_aux = false;
  Activation activation = Activation::none;
  float alpha = 1.0f, beta = 0.0f;
  int padding = 0;  // of every leading dimension
};

struct Problem {
  Spec spec;
  MatmulParams params;
  std::vector<Array> arrays;
};

Problem prepare(Random& random, const Case& c) {
  Problem problem;
  problem.spec.types = {c.a, c.b, c.c, c.bias};
  problem.spec.function = static_cast<std::uint8_t>(c.activation);
  problem.spec.flags =
      static_cast<std::uint8_t>((c.transpose_a ? kFlagTransposeA : 0) | (c.transpose_b ? kFlagTransposeB : 0));
  const int lda = (c.transpose_a ? c.m : c.k) + c.padding, ldb = (c.transpose_b ? c.k : c.n) + c.padding;
  const int ldc = c.n + c.padding;
  const int a_size = (c.transpose_a ? c.k : c.m) * lda, b_size = (c.transpose_b ? c.n : c.k) * ldb;
  problem.params = {c.m, c.n, c.k, c.batch, lda, ldb, ldc, a_size, b_size, c.m * ldc, c.alpha, c.beta};
  const auto count = [&](int size) { return static_cast<std::size_t>(size) * static_cast<std::size_t>(c.batch); };
  problem.arrays = {random.array(c.a, count(a_size)), random.array(c.b, count(b_size)),
                    random.array(c.c, count(c.m * ldc)),
                    c.has_bias ? random.array(c.bias, static_cast<std::size_t>(c.n)) : Array(),
                    c.has_aux ? random.array(c.c, count(c.m * ldc)) : Array()};
  // What is overwritten must not be read.
  if (c.beta == 0.0f) {
    for (std::size_t i = 0; i < problem.arrays[2].count(); ++i) problem.arrays[2].set(i, std::nan(""));
  }
  return problem;
}

Array magnitudes(const Array& array) {
  Array result = array;
  for (std::size_t i = 0; i < array.count(); ++i) result.set(i, std::abs(array[i]));
  return result;
}

#define C(value) Interval::exact(static_cast<float>(value))
#define SELECT(condition, yes, no) select(condition, yes, no)
#define LESS(a, b) less(a, b)
#define EXP(x) monotone(x, 1, [](double v) { return std::exp(v); })
#define TANH(x) monotone(x, 4, [](double v) { return std::tanh(v); })

Interval activated(Activation activation, const Interval& x) {
  const Interval inner = C(0.7978845608028654) * (x + C(0.044715) * x * x * x);
  const Interval sigmoid = C(1.0) / (C(1.0) + EXP(C(0.0) - x));
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return SELECT(LESS(x, C(0.0)), C(0.0), x);
    case Activation::gelu: return C(0.5) * x * (C(1.0) + TANH(inner));
    case Activation::silu: return x * sigmoid;
    case Activation::sigmoid: return sigmoid;
    case Activation::tanh: return TANH(x);
  }
  return x;
}

void expect_in_bounds(Random& random, const Case& c) {
  SCOPED_TRACE(testing::Message() << c.m << 'x' << c.n << 'x' << c.k << " batch " << c.batch << " ta " << c.transpose_a
                                  << " tb " << c.transpose_b << ' ' << name_of(c.a) << ' ' << name_of(c.b) << ' '
                                  << name_of(c.c) << ' ' << name_of(c.activation) << " alpha " << c.alpha << " beta "
                                  << c.beta);
  const Problem problem = prepare(random, c);
  const auto actual = run_simd(KernelId::matmul, problem.spec, problem.params, problem.arrays);

  // The exact sums before the activation, and the same with every term positive.
  Spec plain = problem.spec;
  plain.function = 0;
  const auto exact = run_oracle(KernelId::matmul, plain, problem.params, problem.arrays);
  MatmulParams positive = problem.params;
  positive.alpha = std::abs(positive.alpha);
  positive.beta = std::abs(positive.beta);
  std::vector<Array> terms;
  for (const Array& array : problem.arrays) terms.push_back(array.present() ? magnitudes(array) : Array());
  const auto size = run_oracle(KernelId::matmul, plain, positive, terms);

  // k products and sums, then alpha, beta, bias: each rounds once, relative to a partial sum of magnitudes at most.
  const double error = kUnit * (c.k + 6);
  for (int batch = 0; batch < c.batch; ++batch) {
    for (int row = 0; row < c.m; ++row) {
      for (int column = 0; column < problem.params.ldc; ++column) {
        const auto i = static_cast<std::size_t>(batch) * static_cast<std::size_t>(problem.params.c_batch_stride) +
                       static_cast<std::size_t>(row) * static_cast<std::size_t>(problem.params.ldc) +
                       static_cast<std::size_t>(column);
        if (column >= c.n) {  // padding
          ASSERT_TRUE(actual[2][i] == problem.arrays[2][i] || std::isnan(actual[2][i]));
          continue;
        }
        const Interval before = Interval::around(exact[2][i], error * size[2][i] + kTiny);
        expect_inside(actual[2], i, activated(c.activation, before));
        if (c.has_aux) expect_inside(actual[4], i, before);
      }
    }
  }
}

constexpr bool kBoth[] = {false, true};

TEST_P(Matmul, every_mix_of_types_and_transpositions_is_in_bounds) {
  for (const DType a : kFloats) {
    for (const DType b : kFloats) {
      for (const DType c : kFloats) {
        for (const bool transpose_a : kBoth) {
          for (const bool transpose_b : kBoth) {
            expect_in_bounds(random, {.m = 17,
                                      .n = 33,
                                      .k = 29,
                                      .transpose_a = transpose_a,
                                      .transpose_b = transpose_b,
                                      .a = a,
                                      .b = b,
                                      .c = c,
                                      .padding = static_cast<int>(random.below(2)) * 3});
          }
        }
      }
    }
  }
}

TEST_P(Matmul, shapes_around_tiles_and_vectors_are_in_bounds) {
  const int shapes[][3] = {{1, 1, 1},      {1, 7, 513},  {2, 1, 3},     {15, 16, 17},     {64, 64, 64}, {127, 129, 130},
                           {128, 10, 512}, {200, 3, 40}, {31, 257, 65}, {130, 260, 1030}, {10, 128, 5}, {1, 300, 300}};
  for (const auto& [m, n, k] : shapes) {
    const DType type = kFloats[random.below(3)];
    for (const bool transpose_a : kBoth) {
      for (const bool transpose_b : kBoth) {
        expect_in_bounds(random, {.m = m,
                                  .n = n,
                                  .k = k,
                                  .transpose_a = transpose_a,
                                  .transpose_b = transpose_b,
                                  .a = type,
                                  .b = type,
                                  .c = kFloats[random.below(3)]});
      }
    }
  }
}

TEST_P(Matmul, every_epilogue_is_in_bounds) {
  for (int activation = 0; activation <= static_cast<int>(Activation::tanh); ++activation) {
    for (const DType type : kFloats) {
      for (const bool has_bias : kBoth) {
        for (const bool has_aux : kBoth) {
          for (const float beta : {0.0f, 1.0f, -0.75f}) {
            expect_in_bounds(random, {.m = 19,
                                      .n = 21,
                                      .k = 13,
                                      .a = type,
                                      .b = type,
                                      .c = type,
                                      .bias = kFloats[random.below(3)],
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

TEST_P(Matmul, batches_are_in_bounds) {
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

TEST_P(Matmul, one_operand_can_serve_all_batches) {
  const Case c{.m = 5, .n = 6, .k = 7, .batch = 4, .a = DType::f16, .b = DType::f16, .c = DType::f16};
  Problem problem = prepare(random, c);
  problem.params.b_batch_stride = 0;
  const auto exact = run_oracle(KernelId::matmul, problem.spec, problem.params, problem.arrays);
  const auto actual = run_simd(KernelId::matmul, problem.spec, problem.params, problem.arrays);
  for (std::size_t i = 0; i < actual[2].count(); ++i) {
    expect_inside(actual[2], i, Interval::around(exact[2][i], 1e-5));
  }
}

TEST_P(Matmul, an_empty_sum_leaves_the_epilogue) {
  for (const DType type : kFloats) {
    expect_in_bounds(
        random,
        {.m = 3, .n = 5, .k = 0, .a = type, .b = type, .c = type, .bias = type, .has_bias = true, .beta = 0.5f});
    expect_in_bounds(random, {.m = 3, .n = 5, .k = 0, .a = type, .b = type, .c = DType::f32});
  }
}

TEST_P(Matmul, products_of_small_integers_are_exact) {
  for (const DType type : kFloats) {
    Problem problem = prepare(random, {.m = 33, .n = 65, .k = 200, .transpose_b = true, .a = type, .b = type});
    for (const std::size_t operand : {0, 1}) {
      for (std::size_t i = 0; i < problem.arrays[operand].count(); ++i) {
        problem.arrays[operand].set(i, static_cast<double>(random.below(17) - 8));
      }
    }
    const auto expected = run_oracle_as_is(KernelId::matmul, problem.spec, problem.params, problem.arrays);
    const auto actual = run_simd(KernelId::matmul, problem.spec, problem.params, problem.arrays);
    EXPECT_TRUE(actual[2].same_bytes(expected[2])) << name_of(type);
  }
}

TEST_P(Matmul, bits_do_not_depend_on_the_number_of_threads) {
  for (const DType type : kFloats) {
    const Problem problem = prepare(random, {.m = 300,
                                             .n = 290,
                                             .k = 700,
                                             .transpose_b = true,
                                             .a = type,
                                             .b = type,
                                             .c = type,
                                             .bias = type,
                                             .has_bias = true,
                                             .activation = Activation::gelu});
    expect_thread_independence(KernelId::matmul, problem.spec, problem.params, problem.arrays);
  }
}

}  // namespace
}  // namespace amphora::conformance
