// What a benchmark measured: a table to read, and the same as JSON.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "amphora/core/error.h"
#include "amphora/io/json.h"
#include "amphora/io/table.h"

namespace amphora::bench {

struct Measurement {
  std::string what;
  std::string types;
  std::string shape;
  double seconds = 0.0;
  double work = 0.0;  // bytes or operations
  bool is_product = false;

  double rate() const { return work / seconds * (is_product ? 1e-12 : 1e-9); }
  const char* unit() const { return is_product ? "TFLOP/s" : "GB/s"; }
};

class Measurements {
 public:
  // Measures, and goes on where it fails: one product too large for the memory must not hide the rest.
  void add(Measurement row, const std::function<double()>& seconds) {
    try {
      row.seconds = seconds();
      rows_.push_back(std::move(row));
    } catch (const Error& error) {
      failures_.push_back(fmt::format("{} {} {}: {}", row.what, row.types, row.shape, error.what()));
    }
  }

  const std::vector<std::string>& failures() const { return failures_; }

  // In GB/s or TFLOP/s; 0 where nothing was measured.
  double best(bool products) const {
    double best = 0.0;
    for (const Measurement& row : rows_) {
      if (row.is_product == products && (products || row.what == kCopy)) best = std::max(best, row.rate());
    }
    return best;
  }

  std::string str() const {
    std::vector<io::Row> table{{"what", "types", "shape", "time", "rate", "of the copy"}};
    for (const Measurement& row : rows_) {
      table.push_back({row.what, row.types, row.shape, fmt::format("{:.3f} ms", row.seconds * 1e3),
                       fmt::format("{:.2f} {}", row.rate(), row.unit()),
                       row.is_product ? "" : fmt::format("{:.2f}", row.rate() / best(false))});
    }
    return io::table(table, "lllrrr");
  }

  io::Json json() const {
    io::Json result = io::Json::array();
    for (const Measurement& row : rows_) {
      result.push_back({{"what", row.what},
                        {"types", row.types},
                        {"shape", row.shape},
                        {"seconds", row.seconds},
                        {"rate", row.rate()},
                        {"unit", row.unit()},
                        {"of_copy", row.is_product ? io::Json() : io::Json(row.rate() / best(false))}});
    }
    return result;
  }

  static constexpr const char* kCopy = "copy";

 private:
  std::vector<Measurement> rows_;
  std::vector<std::string> failures_;
};

}  // namespace amphora::bench
