// What a step of the small model does under autocast, written down: a change of the policy, or of where casts happen,
// has to be made here too.
#include <algorithm>
#include <sstream>

#include "amphora/amphora.h"
#include "conformance/training.h"

namespace amphora::conformance {
namespace {

// Columns as in Trace::str(), with @ for the region's type.
constexpr std::string_view kLines = R"(
1 forward linear+gelu f32 f32 f32 lower @ 0 0: f32->@, 1: f32->@ saved (working copy), 2: f32->@ saved (working copy)
2 forward dropout @ follow @ 1 -
3 forward linear @ f32 f32 lower @ 2 1: f32->@ saved (working copy), 2: f32->@ saved (working copy)
4 forward mean @ follow @ - -
5 forward sub @ @ follow @ - -
6 forward square @ follow @ - -
7 forward affine @ follow @ - -
8 forward softmax @ full f32 - 0: @->f32 saved (load)
9 forward tanh @ follow @ - -
10 forward matmul f32 @ lower @ - 0: f32->@
11 forward exp @ full f32 - 0: @->f32 saved (load)
12 forward affine f32 follow f32 - -
13 forward log f32 full f32 - -
14 forward sum f32 full f32 - -
15 forward mse_loss f32 f32 full f32 - -
16 forward mean f32 follow f32 - -
17 forward cross_entropy @ full f32 - 0: @->f32 saved (load)
18 forward mean f32 follow f32 - -
19 forward add f32 f32 follow f32 - -
20 forward add f32 f32 follow f32 - -
21 step scale - f32 - -
22 backward scale f32 - f32 - -
23 backward add f32 - f32 - -
24 backward add f32 - f32 - -
25 backward mean f32 - f32 - -
26 backward cross_entropy f32 - f32 - -
27 backward mean f32 - f32 - -
28 backward reshape f32 - f32 - -
29 backward mse_loss f32 - f32 - -
30 backward sum f32 - f32 - -
31 backward reshape f32 - f32 - -
32 backward log f32 - f32 - -
33 backward affine f32 - f32 - -
34 backward exp f32 - f32 - -
35 backward matmul @ - @ - -
36 backward cast @ - @ - -
37 backward transpose @ - @ - -
38 backward tanh @ - @ - -
39 backward softmax f32 - f32 - -
40 backward affine @ - @ - -
41 backward square @ - @ - -
42 backward sub @ - @ - -
43 backward mean @ - @ - -
44 backward linear @ - @ 2 -
45 backward dropout @ - @ 1 -
46 backward linear @ - @ 0 -
47 step unscale - f32 - -
48 step clip_grad_norm - f32 - -
49 step adamw - f32 - -
50 step update - f32 - -
)";

// Every line with single blanks, without the header and empty lines.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string joined;
    for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
    if (!joined.empty() && joined.front() != '#') lines.push_back(joined);
  }
  return lines;
}

}  // namespace

std::string expected_explanation(DType low) {
  std::string text;
  for (const char letter : kLines) text += letter == '@' ? std::string(name_of(low)) : std::string(1, letter);
  return text;
}

std::vector<std::string> differing_lines(const std::string& expected, const std::string& actual) {
  const std::vector<std::string> left = lines_of(expected), right = lines_of(actual);
  std::vector<std::string> differences;
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string was = i < left.size() ? left[i] : "nothing", is = i < right.size() ? right[i] : "nothing";
    if (was != is) differences.push_back(fmt::format("'{}' instead of '{}'", is, was));
  }
  return differences;
}

}  // namespace amphora::conformance
