#include "amphora/io/file.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "amphora/core/error.h"

namespace amphora::io {

namespace {

namespace fs = std::filesystem;
using FilePtr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

[[noreturn]] void fail_to_write(const fs::path& path, int error) {
  fail("cannot write {}: {}; give a file in a folder that exists and may be written to", path.string(),
       std::strerror(error));
}

// A device or a pipe (/dev/stdout) cannot be replaced by a file of another name.
bool is_special(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status);
}

void refuse_folder(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail_to_write(path, EISDIR);
}

// The name to write under first. Behind a symbolic link it is next to the file that the link names.
std::pair<fs::path, fs::path> target_and_temporary(const fs::path& path) {
  std::error_code error;
  fs::path target = fs::weakly_canonical(path, error);
  if (error || target.empty()) target = path;
  fs::path temporary = target;
  temporary += fmt::format(".{}.tmp", getpid());
  return {target, temporary};
}

}  // namespace

void check_writable(const fs::path& path) {
  refuse_folder(path);
  if (is_special(path)) {
    if (access(path.c_str(), W_OK) != 0) fail_to_write(path, errno);
    return;
  }
  const fs::path temporary = target_and_temporary(path).second;
  const FilePtr file(std::fopen(temporary.c_str(), "wb"), std::fclose);
  if (file == nullptr) fail_to_write(path, errno);
  std::remove(temporary.c_str());
}

void write_file(const fs::path& path, std::string_view text) {
  refuse_folder(path);
  const bool direct = is_special(path);
  const auto [target, temporary] = direct ? std::pair(path, path) : target_and_temporary(path);
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) fail_to_write(path, errno);
  int error = std::fwrite(text.data(), 1, text.size(), file) == text.size() ? 0 : errno;
  if (std::fclose(file) != 0 && error == 0) error = errno;
  if (error == 0 && !direct && std::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return;
  if (!direct) std::remove(temporary.c_str());
  fail_to_write(path, error);
}

LineFile::LineFile(fs::path path) : path_(std::move(path)) {
  refuse_folder(path_);
  std::error_code error;
  is_new_ = !fs::exists(path_, error);
  file_.reset(std::fopen(path_.c_str(), "ab"));
  if (file_ == nullptr) fail_to_write(path_, errno);
}

LineFile::~LineFile() {
  file_.reset();
  if (is_new_ && is_empty_) std::remove(path_.c_str());
}

void LineFile::write(std::string_view line) {
  if (is_empty_ && !is_special(path_)) {
    std::error_code error;
    fs::resize_file(path_, 0, error);
    if (error) fail_to_write(path_, error.value());
  }
  is_empty_ = false;
  const bool written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size() &&
                       std::fputc('\n', file_.get()) != EOF && std::fflush(file_.get()) == 0;
  if (!written) fail_to_write(path_, errno);
}

}  // namespace amphora::io
