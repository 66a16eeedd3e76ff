#include "backends/cuda/algorithm_cache.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <span>
#include <sstream>

#include <fmt/format.h>

#include "amphora/device/disk_cache.h"

namespace amphora::cuda {
namespace {

constexpr int kFormat = 2;

// "NVIDIA H200" -> "nvidia-h200"
std::string file_name(const Capabilities& capabilities) {
  std::string name = capabilities.name;
  for (char& c : name) {
    c = std::isalnum(static_cast<unsigned char>(c)) != 0
            ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
            : '-';
  }
  return fmt::format("cuda-{}-{}-{}.products", name, capabilities.driver, capabilities.cublaslt);
}

std::string line_of(const std::string& problem, const Choice& choice) {
  std::string line = fmt::format("{} {} {:.2f} us", problem, name_of(choice.mode), choice.microseconds);
  for (const std::uint64_t word : choice.algo.data) line += fmt::format(" {:x}", word);
  return line + '\n';
}

// Empty: the line is damaged.
std::optional<std::pair<std::string, Choice>> parsed(const std::string& line) {
  std::istringstream words(line);
  std::string problem, mode, unit;
  Choice choice;
  if (!(words >> problem >> mode >> choice.microseconds >> unit) || unit != "us") return {};
  if (mode != name_of(EpilogueMode::fused) && mode != name_of(EpilogueMode::separate)) return {};
  choice.mode = mode == name_of(EpilogueMode::fused) ? EpilogueMode::fused : EpilogueMode::separate;
  for (std::uint64_t& word : choice.algo.data) {
    if (!(words >> std::hex >> word)) return {};
  }
  return std::pair(problem, choice);
}

std::map<std::string, Choice> read(const std::string& path, const std::string& header) {
  std::map<std::string, Choice> choices;
  const auto content = read_cache(path);
  if (!content) return choices;
  std::istringstream lines(std::string(reinterpret_cast<const char*>(content->data()), content->size()));
  std::string line;
  if (!std::getline(lines, line) || line != header) return choices;
  while (std::getline(lines, line)) {
    if (auto choice = parsed(line)) choices.insert(std::move(*choice));
  }
  return choices;
}

}  // namespace

AlgorithmCache::AlgorithmCache(const Capabilities& capabilities)
    : header_(fmt::format("format {}: product, where its epilogue runs, time, cuBLASLt's algorithm; {}, driver {}, "
                          "cuBLASLt {}",
                          kFormat, capabilities.name, capabilities.driver, capabilities.cublaslt)),
      path_(cache_path(file_name(capabilities))),
      cache_(read(path_, header_)) {}

std::optional<Choice> AlgorithmCache::find(const std::string& problem) const {
  const auto found = cache_.find(problem);
  return found == cache_.end() ? std::nullopt : std::optional(found->second);
}

AlgorithmCache::~AlgorithmCache() {
  try {
    if (changed_) save();
  } catch (const std::exception&) {  // what is not kept is found again
  }
}

void AlgorithmCache::keep(const std::string& problem, const Choice& choice) {
  cache_[problem] = choice;
  changed_ = true;
  if (std::chrono::steady_clock::now() - saved_ > std::chrono::seconds(1)) save();
}

void AlgorithmCache::save() {
  if (path_.empty()) return;
  cache_.merge(read(path_, header_));
  std::string text = header_ + '\n';
  for (const auto& [name, kept] : cache_) text += line_of(name, kept);
  write_cache(path_, std::as_bytes(std::span(text)));
  changed_ = false;
  saved_ = std::chrono::steady_clock::now();
}

}  // namespace amphora::cuda
