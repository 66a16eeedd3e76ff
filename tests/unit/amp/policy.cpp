// The autocast policy without tensors: the table against a second one written from PyTorch's list for CUDA, and what
// each rule decides.
#include "amphora/amp/policy.h"

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/error.h"

namespace amphora::amp {
namespace {

using Names = std::vector<std::string_view>;

// By category of PyTorch's list. Names of ops that amphora spells otherwise: attention (scaled_dot_product_attention),
// upsample (interpolate), compare (==, <, ...), affine (a tensor with a number), linalg (decompositions).
const std::map<CastRule, Names>& expected() {
  static const std::map<CastRule, Names> table = {
      {CastRule::lower,
       {"matmul",
        "mm",
        "bmm",
        "mv",
        "addmm",
        "addbmm",
        "baddbmm",
        "addmv",
        "addr",
        "chain_matmul",
        "multi_dot",
        "einsum",
        "linear",
        "vecdot",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "conv_tbc",
        "prelu",
        "attention",
        "lstm_cell",
        "gru_cell",
        "rnn_cell",
        "lstm",
        "gru",
        "rnn"}},
      {CastRule::full,
       {"softmax",
        "log_softmax",
        "softmin",
        "sum",
        "prod",
        "cumsum",
        "cumprod",
        "vector_norm",
        "matrix_norm",
        "norm",
        "exp",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "pow",
        "reciprocal",
        "rsqrt",
        "acos",
        "asin",
        "cosh",
        "sinh",
        "tan",
        "erfinv",
        "softplus",
        "logsumexp",
        "dist",
        "pdist",
        "renorm",
        "cosine_similarity",
        "frobenius_norm",
        "nuclear_norm",
        "cdist",
        "layer_norm",
        "group_norm",
        "rms_norm",
        "mse_loss",
        "l1_loss",
        "smooth_l1_loss",
        "huber_loss",
        "nll_loss",
        "kl_div",
        "poisson_nll_loss",
        "hinge_embedding_loss",
        "cosine_embedding_loss",
        "margin_ranking_loss",
        "multilabel_margin_loss",
        "multi_margin_loss",
        "soft_margin_loss",
        "triplet_margin_loss",
        "cross_entropy",
        "bce_with_logits",
        "upsample"}},
      {CastRule::refuse, {"bce"}},
      {CastRule::widest,
       {"addcmul", "addcdiv", "atan2", "cross", "dot", "vdot", "bilinear", "tensordot", "index_put", "scatter_add",
        "grid_sample"}},
      {CastRule::follow,
       {"batch_norm", "instance_norm", "ctc_loss",   "cat",          "stack",      "index_copy", "add",
        "sub",        "mul",           "div",        "maximum",      "minimum",    "compare",    "where",
        "affine",     "relu",          "leaky_relu", "gelu",         "silu",       "sigmoid",    "tanh",
        "dropout",    "clamp",         "abs",        "sqrt",         "square",     "sin",        "cos",
        "neg",        "mean",          "var",        "std",          "max",        "min",        "argmax",
        "topk",       "embedding",     "gather",     "index_select", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d",
        "max_pool3d", "avg_pool3d",    "pad",        "fft",          "linalg"}}};
  return table;
}

class Policy : public ::testing::Test {
 protected:
  static Decision decision(CastRule rule, const std::vector<DType>& types, std::optional<DType> active = DType::f16,
                           std::optional<CastRule> override_rule = {}) {
    std::vector<Operand> operands;
    for (const DType type : types) operands.push_back({type});
    return decide({"op", rule}, active, override_rule, operands);
  }
  // The types that a rule leaves an op with: of its inputs after the conversion, and of its result.
  static DType result(CastRule rule, const std::vector<DType>& types, std::optional<DType> active = DType::f16) {
    return decision(rule, types, active).result;
  }
};

TEST_F(Policy, EveryOpHasTheRuleOfPyTorchsCudaList) {
  for (const auto& [rule, names] : expected()) {
    for (const std::string_view name : names) EXPECT_EQ(name_of(find_op(name).rule), name_of(rule)) << name;
  }
}

// So a new op needs no second entry, unless it is to be converted: then the list says why.
TEST_F(Policy, AnOpThatTheListHasNotJustFollows) {
  std::set<std::string_view> listed;
  for (const auto& [rule, names] : expected()) listed.insert(names.begin(), names.end());
  std::set<std::string_view> seen;
  for (const OpInfo& op : policy_table()) {
    if (!listed.contains(op.name)) {
      EXPECT_EQ(name_of(op.rule), name_of(CastRule::follow)) << op.name;
    }
    EXPECT_TRUE(seen.insert(op.name).second) << op.name << " stands twice";
  }
}

TEST_F(Policy, LowerConvertsEveryEligibleInput) {
  for (const DType low : {DType::f16, DType::bf16}) {
    EXPECT_EQ(decision(CastRule::lower, {DType::f32, DType::f32}, low).cast_to, low);
    EXPECT_EQ(result(CastRule::lower, {DType::f32, DType::f16}, low), low);
    EXPECT_EQ(result(CastRule::lower, {DType::bf16}, low), low);
  }
}

TEST_F(Policy, FullConvertsToF32) {
  EXPECT_EQ(decision(CastRule::full, {DType::f16}).cast_to, DType::f32);
  EXPECT_EQ(result(CastRule::full, {DType::bf16, DType::f16}), DType::f32);
}

TEST_F(Policy, WidestTakesF32WhereAnInputHasIt) {
  EXPECT_EQ(result(CastRule::widest, {DType::f16, DType::f16}), DType::f16);
  EXPECT_EQ(result(CastRule::widest, {DType::f16, DType::f32}), DType::f32);
  EXPECT_EQ(result(CastRule::widest, {DType::f32, DType::f16, DType::f16}), DType::f32);
  EXPECT_EQ(result(CastRule::widest, {DType::bf16, DType::bf16}, DType::bf16), DType::bf16);
}

TEST_F(Policy, A12_WidestOfMixedInputsIsF32) {
  EXPECT_EQ(
      decide(find_op("addcmul"), DType::bf16, {}, std::vector<Operand>{{DType::f32}, {DType::bf16}, {DType::bf16}})
          .result,
      DType::f32);
  EXPECT_EQ(decide(find_op("index_copy"), DType::bf16, {}, std::vector<Operand>{{DType::f32}, {DType::bf16}}).result,
            DType::f32);
}

TEST_F(Policy, A13_WidestWithTheOtherLowTypeIsAnErrorInAnyOrder) {
  EXPECT_THROW(decision(CastRule::widest, {DType::bf16, DType::f16}), Error);
  EXPECT_THROW(decision(CastRule::widest, {DType::bf16}), Error);
  EXPECT_THROW(decision(CastRule::widest, {DType::bf16, DType::f32}), Error);
  EXPECT_THROW(decision(CastRule::widest, {DType::f32, DType::bf16}), Error);
  EXPECT_THROW(decision(CastRule::widest, {DType::f16}, DType::bf16), Error);
}

TEST_F(Policy, F64AndIntegersAreNotEligible) {
  for (const CastRule rule : {CastRule::lower, CastRule::full, CastRule::widest}) {
    for (const DType type : {DType::f64, DType::i32}) {
      EXPECT_EQ(decision(rule, {type}).cast_to, std::nullopt) << name_of(rule);
      EXPECT_EQ(result(rule, {type}), type) << name_of(rule);
    }
    EXPECT_EQ(result(rule, {DType::f64, DType::f32}), DType::f64);
  }
  EXPECT_EQ(result(CastRule::lower, {DType::i32, DType::f32}), DType::f16);
}

TEST_F(Policy, FollowPromotesAsOutsideOfARegion) {
  for (const auto active : {std::optional<DType>(), std::optional(DType::f16)}) {
    EXPECT_EQ(decision(CastRule::follow, {DType::f32, DType::f16}, active).cast_to, std::nullopt);
    EXPECT_EQ(result(CastRule::follow, {DType::f32, DType::f16}, active), DType::f32);
    EXPECT_EQ(result(CastRule::follow, {DType::f16, DType::bf16}, active), DType::f32);
    EXPECT_EQ(result(CastRule::follow, {DType::f16, DType::f64}, active), DType::f64);
    EXPECT_EQ(result(CastRule::follow, {DType::i32, DType::bf16}, active), DType::bf16);
  }
}

TEST_F(Policy, NothingIsConvertedOutsideOfARegion) {
  for (const CastRule rule : {CastRule::lower, CastRule::full, CastRule::widest, CastRule::follow, CastRule::refuse}) {
    EXPECT_EQ(decision(rule, {DType::f32, DType::bf16}, std::nullopt).cast_to, std::nullopt);
    EXPECT_EQ(result(rule, {DType::bf16}, std::nullopt), DType::bf16);
  }
}

TEST_F(Policy, RefuseIsAnErrorInARegion) {
  EXPECT_THROW(decision(CastRule::refuse, {DType::f32}), Error);
  EXPECT_THROW(decision(CastRule::refuse, {DType::f16}), Error);
}

TEST_F(Policy, AnOverrideReplacesTheRule) {
  const Decision changed = decision(CastRule::follow, {DType::f16}, DType::f16, CastRule::full);
  EXPECT_EQ(changed.rule, CastRule::full);
  EXPECT_TRUE(changed.overridden);
  EXPECT_EQ(changed.result, DType::f32);
  EXPECT_NO_THROW(decision(CastRule::refuse, {DType::f32}, DType::f16, CastRule::full));
  EXPECT_THROW(decision(CastRule::follow, {DType::f32}, DType::f16, CastRule::refuse), Error);
}

TEST_F(Policy, ScalarsDoNotWidenTensors) {
  const auto promoted = [](std::vector<Operand> operands) { return promote_operands(operands); };
  EXPECT_EQ(promoted({{DType::f16}, {DType::f32, true}}), DType::f16);
  EXPECT_EQ(promoted({{DType::f64, true}, {DType::bf16}}), DType::bf16);
  EXPECT_EQ(promoted({{DType::f16, true}, {DType::f32, true}}), DType::f32);
  EXPECT_EQ(promoted({{DType::i32}, {DType::f16, true}}), DType::f16);
  EXPECT_EQ(promoted({{DType::i32, true}, {DType::f16}}), DType::f16);
  EXPECT_EQ(promoted({{DType::i32}, {DType::i32, true}}), DType::i32);
}

TEST_F(Policy, ACustomOpKeepsItsDeclaredRule) {
  const OpInfo& op = declare_op("policy_test_rotate", CastRule::widest);
  EXPECT_EQ(&declare_op("policy_test_rotate", CastRule::widest), &op);
  EXPECT_EQ(&find_op("policy_test_rotate"), &op);
  EXPECT_THROW(declare_op("policy_test_rotate", CastRule::full), Error);
  EXPECT_THROW(declare_op("matmul", CastRule::full), Error);
  EXPECT_EQ(declare_op("matmul", CastRule::lower).rule, CastRule::lower);
  EXPECT_THROW(find_op("policy_test_unknown"), Error);
}

TEST_F(Policy, OpsMayBeDeclaredFromManyThreads) {
  std::vector<std::thread> threads;
  std::vector<const OpInfo*> found(8);
  for (const OpInfo*& op : found) {
    threads.emplace_back([&op] {
      for (int n = 0; n < 50; ++n) declare_op("policy_test_" + std::to_string(n), CastRule::full);
      op = &find_op("policy_test_7");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const OpInfo* op : found) EXPECT_EQ(op, found[0]);
}

TEST_F(Policy, PoliciesPrintTheTypesByRole) {
  EXPECT_EQ(policy_of(Precision::f16).str(), "f32/f16/f32/f32");
  EXPECT_EQ(policy_of(Precision::bf16).str(), "f32/bf16/f32/f32");
  EXPECT_EQ(policy_of(Precision::f32).str(), "f32/f32/f32/f32");
  EXPECT_EQ(policy_of(Precision::tf32).str(), "f32/f32/f32/f32");
}

}  // namespace
}  // namespace amphora::amp
