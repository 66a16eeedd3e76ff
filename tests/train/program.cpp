#include "program.h"

#include <cstdlib>

#include <sys/wait.h>

namespace amphora::testing {

std::string text_of(const std::filesystem::path& path) {
  const Bytes bytes = read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

namespace {

// AMPHORA_MLP, words for the shell, starts the sample that lies elsewhere than where it was built.
std::string mlp() {
  const char* named = std::getenv("AMPHORA_MLP");
  return named != nullptr ? named : AMPHORA_MLP;
}

}  // namespace

Finished run_mlp(const std::string& arguments, const std::string& before) {
  const TemporaryFolder folder;
  const std::filesystem::path out = folder / "out";
  const std::filesystem::path err = folder / "err";
  const std::string command =
      before + " " + mlp() + " " + arguments + " >" + out.string() + " 2>" + err.string() + " </dev/null";
  const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe)
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = text_of(out), .err = text_of(err)};
}

}  // namespace amphora::testing
