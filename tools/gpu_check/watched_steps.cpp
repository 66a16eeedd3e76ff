// Conformance while a tool watches: compute-sanitizer for CUDA, the validation layers for Vulkan.
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "steps.h"

namespace amphora::gpu_check {
namespace {

namespace fs = std::filesystem;

// A test of small shapes for each family of kernels: what is watched runs a hundred times slower.
constexpr const char* kSmallTests =
    "fill_writes,cast_matches,random_views,accumulate_rounds,unary_stays,binary_walks,products_of_small,"
    "softmax.forward,softmax.gradients,loss.cross,loss.gradient,dropout.bits,inspect_and,norm_is,clips_match,"
    "every_row_matches,lerp_matches,reduce.bits,reduce.gradients,step.";
constexpr const char* kQuickTests = "fill_writes";

std::vector<fs::path> usual_folders() {
  std::vector<fs::path> folders;
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "" : variable;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    folders.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  // /usr/local/cuda-13.0/bin, /opt/nvidia/..., and where the toolkit keeps the tool itself.
  for (const char* root : {"/usr/local", "/opt/nvidia"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root, error)) {
      folders.push_back(entry.path() / "bin");
      folders.push_back(entry.path() / "compute-sanitizer");
      folders.push_back(entry.path());
    }
  }
  return folders;
}

std::optional<fs::path> find_compute_sanitizer() {
  for (const fs::path& folder : usual_folders()) {
    std::error_code error;
    if (fs::is_regular_file(folder / "compute-sanitizer", error)) return folder / "compute-sanitizer";
  }
  return {};
}

Finding sanitize(const Options& options, const std::string& step, const std::string& backend, const std::string& tool) {
  const auto sanitizer = find_compute_sanitizer();
  if (!sanitizer) return {.step = step, .result = Result::absent, .measured = "no compute-sanitizer here"};
  constexpr const char* kFound = "9";  // none of conformance's exit codes
  const std::string conformance_program = (options.programs / "amphora_conformance").string();
  const Command command{*sanitizer, {"--tool", tool, "--error-exitcode", kFound, conformance_program}, {}};
  Finding finding = conformance(options, step, command, backend, options.quick ? kQuickTests : kSmallTests);
  for (const char* title : {"ERROR SUMMARY", "RACECHECK SUMMARY"}) {
    const std::size_t at = finding.log.empty() ? std::string::npos : text_of(options.logs / finding.log).rfind(title);
    if (at == std::string::npos) continue;
    const std::string line = text_of(options.logs / finding.log).substr(at);
    finding.measured = line.substr(0, line.find('\n')) + "; " + finding.measured;
  }
  return finding;
}

Finding validate(const Options& options, const std::string& step, const std::string& backend) {
  Command command = program(options, "amphora_conformance", {});
  command.environment = {{"AMPHORA_VULKAN_VALIDATION", "1"}};
  Finding finding = conformance(options, step, command, backend, options.quick ? kQuickTests : kSmallTests);
  // The backend says so when the layer that it was asked for is not there.
  if (text_of(options.logs / finding.log).find("layer VK_LAYER_KHRONOS_validation") != std::string::npos) {
    return {.step = step, .result = Result::absent, .measured = "no validation layers here", .log = finding.log};
  }
  return finding;
}

}  // namespace

std::vector<Step> watched_steps(const Backend& backend) {
  std::vector<Step> steps;
  if (backend.name == "vulkan") {
    const std::string step = "validation-layers vulkan";
    steps.push_back({step, backend.reason_against,
                     [=, name = backend.name](const Options& options) { return validate(options, step, name); }});
  }
  if (backend.name != "cuda") return steps;
  for (const char* tool : {"memcheck", "racecheck", "initcheck", "synccheck"}) {
    const std::string step = std::string("compute-sanitizer ") + tool;
    const std::string reason = backend.emulated ? "the emulator has no device code to watch" : backend.reason_against;
    steps.push_back({step, reason,
                     [=, name = backend.name](const Options& options) { return sanitize(options, step, name, tool); }});
  }
  return steps;
}

}  // namespace amphora::gpu_check
