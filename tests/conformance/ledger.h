// What the checks found, a row for each subject, kernel, mix of types and path: how close results came to their bounds,
// and what broke one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace amphora::conformance {

class Ledger {
 public:
  struct Key {
    std::string subject;
    std::string kernel;
    std::string types;  // "f16 f16 -> f32"
    std::string path;   // "simd", "cooperative matrix 8x8x8"; of what is unsupported: the reason
    bool operator<(const Key& other) const {
      return std::tie(subject, kernel, types, path) < std::tie(other.subject, other.kernel, other.types, other.path);
    }
  };
  struct Row {
    const Key* key = nullptr;
    std::uint64_t cases = 0;   // calls
    std::uint64_t values = 0;  // numbers that were checked
    std::uint64_t violations = 0;
    double worst = 0.0;     // the largest error as a fraction of its bound
    std::string last_case;  // "unary(gelu) ..."
    std::string worst_case;
  };

  // The ledger that checks write to.
  static Ledger& current();

  // The row of a call that begins now.
  Row& begin_case(Key key, std::string name);
  void unsupported(const Key& key) { ++unsupported_[key]; }
  // A value that is inside its bound, at this fraction of it.
  static void accept(Row& row, double fraction) {
    ++row.values;
    if (fraction > row.worst) note_worst(row, fraction);
  }
  // Fails the running test, unless findings are only recorded.
  void violate(Row& row, const std::string& message);
  // A test's first violations are printed in full; the rest are counted.
  void begin_test() { printed_ = 0; }

  const std::map<Key, Row>& rows() const { return rows_; }
  const std::map<Key, std::uint64_t>& unsupported() const { return unsupported_; }  // cases left out
  const std::vector<std::string>& messages() const { return messages_; }
  std::uint64_t violations() const;
  std::uint64_t violations(const std::string& kernel) const;

 private:
  friend class Recording;
  static void note_worst(Row& row, double fraction);

  std::map<Key, Row> rows_;
  std::map<Key, std::uint64_t> unsupported_;
  std::vector<std::string> messages_;  // the first ones
  int printed_ = 0;
  bool records_only_ = false;
};

// While it lives, checks write to its own ledger and fail no test.
class Recording {
 public:
  Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();
  const Ledger& ledger() const { return ledger_; }

 private:
  Ledger ledger_;
  Ledger* previous_;
};

}  // namespace amphora::conformance
