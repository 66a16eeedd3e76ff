// Output files that are whole or absent.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace amphora::io {

// Throws Error unless write_file() could write `path` now. Leaves nothing behind.
void check_writable(const std::filesystem::path& path);

// Writes a whole file under another name first, so that `path` is never half written. Throws Error with the reason.
void write_file(const std::filesystem::path& path, std::string_view text);

// A file that grows line by line; each line is complete on disk when write() returns.
class LineFile {
 public:
  // Opens the file, which shows that it can be written; what it held is kept until the first line replaces it.
  // Throws Error with the reason.
  explicit LineFile(std::filesystem::path path);
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  // A new file without a line is removed again.
  ~LineFile();

  // Throws Error when the line cannot be written, such as on a full disk.
  void write(std::string_view line);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path path_;
  bool is_new_;
  bool is_empty_ = true;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace amphora::io
