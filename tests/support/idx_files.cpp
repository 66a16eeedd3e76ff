#include "support/idx_files.h"

#include <fstream>
#include <iterator>

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX
#include <zlib.h>

#include "amphora/core/error.h"

namespace amphora::testing {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "amphora-XXXXXX").string();
  require(mkdtemp(name.data()) != nullptr, "cannot make a folder {}", name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

Bytes idx_bytes(const std::vector<std::uint32_t>& sizes, const Bytes& values, std::uint8_t type) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  require(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflateInit2");
  Bytes out(deflateBound(&stream, bytes.size()) + 32);
  stream.next_in = const_cast<Bytef*>(bytes.data());  // zlib only reads
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_bytes(const fs::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  require(file.good(), "cannot write {}", path.string());
}

void write_data_set(const fs::path& folder, const data::ImageSet& train, const data::ImageSet& test) {
  const auto write = [&](const std::string& prefix, const data::ImageSet& set) {
    const auto count = static_cast<std::uint32_t>(set.count());
    const auto height = static_cast<std::uint32_t>(set.image_shape[0]);
    const auto width = static_cast<std::uint32_t>(set.image_shape[1]);
    write_bytes(folder / (prefix + "-images-idx3-ubyte"), idx_bytes({count, height, width}, set.pixels));
    write_bytes(folder / (prefix + "-labels-idx1-ubyte"), idx_bytes({count}, {set.labels.begin(), set.labels.end()}));
  };
  write("train", train);
  write("t10k", test);
}

}  // namespace amphora::testing
