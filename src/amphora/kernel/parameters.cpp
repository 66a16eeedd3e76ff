#include "amphora/kernel/parameters.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace amphora {
namespace {

// The members of each structure in order, all of four bytes: f: before a float, *5 or *8 behind so many of one name.
struct Members {
  std::string_view params;
  std::string_view names;
};
constexpr Members kMembers[] = {
    {"CountParams", "count"},
    {"FillParams", "count f:value"},
    {"CopyParams", "rank sizes*5 in_strides*5 out_strides*5"},
    {"UnaryParams", "count f:p0 f:p1"},
    {"BinaryParams", "rank sizes*5 a_strides*5 b_strides*5 dy_strides*5"},
    {"MatmulParams", "m n k batch lda ldb ldc a_batch_stride b_batch_stride c_batch_stride f:alpha f:beta"},
    {"ReduceParams", "outer extent inner f:scale accumulate"},
    {"RowsParams", "rows columns"},
    {"CrossEntropyParams", "rows columns dloss_stride"},
    {"DropoutParams", "count threshold f:scale seed_low seed_high stream_low stream_high"},
    {"GradientNormParams", "count f:p"},
    {"ClipParams", "count f:limit"},
    {"LerpParams", "count f:weight"},
    {"OptimizerParams", "count f:constants*8 f:constants_low*8"},
    {"BeginStepParams", "f:decay1 f:decay1_low f:decay2 f:decay2_low unscale"},
    {"ScalerUpdateParams",
     "f:growth_factor f:backoff_factor f:min_scale f:max_scale growth_interval hysteresis dynamic"},
};

constexpr std::string_view members_of(std::string_view params) {
  for (const Members& members : kMembers) {
    if (members.params == params) return members.names;
  }
  return {};
}

// One member off the front of a list.
struct Member {
  std::string_view name;
  bool is_float = false;
  std::size_t words = 1;
};
constexpr Member take(std::string_view& names) {
  const std::size_t end = names.find(' ');
  Member member{names.substr(0, end)};
  names = end == std::string_view::npos ? std::string_view() : names.substr(end + 1);
  if (member.name.starts_with("f:")) {
    member.is_float = true;
    member.name.remove_prefix(2);
  }
  if (const char last = member.name.back(); member.name.ends_with("*5") || member.name.ends_with("*8")) {
    member.words = static_cast<std::size_t>(last - '0');
    member.name.remove_suffix(2);
  }
  return member;
}

constexpr std::size_t words_of(std::string_view names) {
  std::size_t words = 0;
  while (!names.empty()) words += take(names).words;
  return words;
}

#define AMPHORA_KERNEL(id, params, access, buffers) \
  static_assert(words_of(members_of(#params)) * 4 == sizeof(params), "the members of " #params);
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL

std::string text_of(std::uint32_t word, bool is_float) {
  return is_float ? fmt::format("{}", std::bit_cast<float>(word)) : fmt::format("{}", static_cast<std::int32_t>(word));
}

}  // namespace

std::string first_parameter_difference(const KernelCall& a, const KernelCall& b) {
  std::string_view names = members_of(info_of(a.id).params);
  std::size_t word = 0;
  const auto word_of = [&word](const KernelCall& call) {
    std::uint32_t value = 0;
    std::memcpy(&value, call.param_bytes().data() + word * sizeof value, sizeof value);
    return value;
  };
  while (!names.empty()) {
    const Member member = take(names);
    for (std::size_t i = 0; i < member.words; ++i, ++word) {
      if (word_of(a) == word_of(b)) continue;
      const std::string index = member.words > 1 ? fmt::format("[{}]", i) : "";
      return fmt::format("{}{} is {} the first time and {} the second", member.name, index,
                         text_of(word_of(a), member.is_float), text_of(word_of(b), member.is_float));
    }
  }
  return {};
}

}  // namespace amphora
