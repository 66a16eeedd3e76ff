#include "amphora/data/idx.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <zlib.h>

#include "amphora/core/error.h"

namespace amphora::data {

namespace {

// Deflate packs at most 258 bytes into 2 bits: no file unpacks to more than this many times its size.
constexpr std::uint64_t kMaxExpansion = 1032;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 32;
constexpr std::string_view kAdvice = "get a fresh copy of it";

struct CloseGz {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

// A file that is read from the beginning to the end; zlib tells by its first bytes whether it is compressed.
class Input {
 public:
  explicit Input(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    require(!std::filesystem::is_directory(path, error), "{} is a folder, not an IDX file", path.string());
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    require(file_ != nullptr, "cannot open {}: {}", path.string(), errno != 0 ? std::strerror(errno) : "out of memory");
    size_ = std::filesystem::file_size(path, error);
    require(!error, "cannot tell the size of {}: {}", path.string(), error.message());
    gzbuffer(file_.get(), 1U << 18U);
  }

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  bool compressed() { return gzdirect(file_.get()) == 0; }

  // As many bytes as there are, up to the span's size. Reaching the end checks the checksum of a gzipped file.
  std::size_t read(std::span<std::uint8_t> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const std::size_t chunk = std::min<std::size_t>(bytes.size() - done, std::size_t{1} << 30U);
      const int count = gzread(file_.get(), bytes.data() + done, static_cast<unsigned>(chunk));
      check(count >= 0);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    // A compressed stream that stops in the middle gives what it has, and then this error.
    int code = Z_OK;
    gzerror(file_.get(), &code);
    check(code == Z_OK || code == Z_STREAM_END);
    return done;
  }

  void close() { require(gzclose_r(file_.release()) == Z_OK, "{} is truncated; {}", path_.string(), kAdvice); }

 private:
  void check(bool good) {
    if (good) return;
    int code = Z_OK;
    std::string_view text = gzerror(file_.get(), &code);
    if (code == Z_ERRNO) fail("cannot read {}: {}", path_.string(), std::strerror(errno));
    // zlib's message repeats the file's name before the reason.
    const std::size_t colon = text.rfind(": ");
    if (colon != std::string_view::npos) text.remove_prefix(colon + 2);
    fail("{} is damaged ({}); {}", path_.string(), text, kAdvice);
  }

  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, CloseGz> file_;
  std::uint64_t size_ = 0;
};

std::string_view element_name(std::uint8_t code) {
  switch (code) {
    case 0x08: return "unsigned byte";
    case 0x09: return "signed byte";
    case 0x0B: return "short";
    case 0x0C: return "int";
    case 0x0D: return "float";
    case 0x0E: return "double";
    default: return "";
  }
}

void read_magic(Input& input, int rank) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t count = input.read(magic);
  const std::string file = input.path().string();
  require(count > 0, "{} is empty; {}", file, kAdvice);
  require(count == magic.size() && magic[0] == 0 && magic[1] == 0 && !element_name(magic[2]).empty(),
          "{} is not an IDX file: it starts with {:02x} {:02x} {:02x} {:02x}, not with 00 00 08 {:02x}", file, magic[0],
          magic[1], magic[2], magic[3], rank);
  require(magic[2] == 0x08, "{} holds elements of type {}; only unsigned bytes are read here", file,
          element_name(magic[2]));
  require(magic[3] == rank, "{} has {} axes where {} are expected; are images and labels mixed up?", file, magic[3],
          rank);
}

// The extents, after making sure that the file can hold that many elements.
std::vector<std::int64_t> read_sizes(Input& input, int rank) {
  std::vector<std::uint8_t> header(4 * static_cast<std::size_t>(rank));
  const std::string file = input.path().string();
  require(input.read(header) == header.size(), "{} is truncated: it ends within its header; {}", file, kAdvice);
  std::vector<std::int64_t> sizes;
  std::uint64_t elements = 1;
  for (std::size_t i = 0; i < header.size(); i += 4) {
    const std::uint64_t size = (std::uint64_t{header[i]} << 24U) | (std::uint64_t{header[i + 1]} << 16U) |
                               (std::uint64_t{header[i + 2]} << 8U) | header[i + 3];
    sizes.push_back(static_cast<std::int64_t>(size));
    // Both factors are below 2^33: no overflow.
    elements *= size;
    require(elements <= kMaxElements, "{} claims more than {} elements, which is absurd; {}", file, kMaxElements,
            kAdvice);
  }
  const std::uint64_t most = input.compressed() ? input.size() * kMaxExpansion : input.size();
  require(elements <= most, "{} is truncated: its header claims {} elements, but the file has {} bytes; {}", file,
          elements, input.size(), kAdvice);
  return sizes;
}

}  // namespace

Idx read_idx(const std::filesystem::path& path, int rank) {
  Input input(path);
  read_magic(input, rank);
  Idx idx{.sizes = read_sizes(input, rank), .values = {}};
  std::uint64_t elements = 1;
  for (const std::int64_t size : idx.sizes) elements *= static_cast<std::uint64_t>(size);
  idx.values.resize(elements);
  const std::size_t count = input.read(idx.values);
  require(count == elements, "{} is truncated: it has {} of {} elements; {}", path.string(), count, elements, kAdvice);
  std::uint8_t beyond = 0;
  require(input.read({&beyond, 1}) == 0, "{} is too long: bytes follow its {} elements; {}", path.string(), elements,
          kAdvice);
  input.close();
  return idx;
}

}  // namespace amphora::data
