#include "backends/cuda/choices.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <fmt/format.h>

#include "backends/disk_cache.h"

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
  std::string line = fmt::format("{} {} {:.2f} us", problem, name_of(choice.way), choice.microseconds);
  for (const std::uint64_t word : choice.algo.data) line += fmt::format(" {:x}", word);
  return line + '\n';
}

// Empty: the line is damaged.
std::optional<std::pair<std::string, Choice>> parsed(const std::string& line) {
  std::istringstream words(line);
  std::string problem, way, unit;
  Choice choice;
  if (!(words >> problem >> way >> choice.microseconds >> unit) || unit != "us") return {};
  if (way != name_of(Way::fused) && way != name_of(Way::separate)) return {};
  choice.way = way == name_of(Way::fused) ? Way::fused : Way::separate;
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

Choices::Choices(const Capabilities& capabilities)
    : header_(fmt::format("format {}: product, where its epilogue runs, time, cuBLASLt's algorithm; {}, driver {}, "
                          "cuBLASLt {}",
                          kFormat, capabilities.name, capabilities.driver, capabilities.cublaslt)),
      path_(cache_path(file_name(capabilities))),
      choices_(read(path_, header_)) {}

std::optional<Choice> Choices::find(const std::string& problem) const {
  const auto found = choices_.find(problem);
  return found == choices_.end() ? std::nullopt : std::optional(found->second);
}

void Choices::keep(const std::string& problem, const Choice& choice) {
  choices_[problem] = choice;
  if (path_.empty()) return;
  choices_.merge(read(path_, header_));
  std::string text = header_ + '\n';
  for (const auto& [name, kept] : choices_) text += line_of(name, kept);
  write_cache(path_, std::as_bytes(std::span(text)));
}

}  // namespace amphora::cuda
