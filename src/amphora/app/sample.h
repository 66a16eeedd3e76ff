// Sample: what the programs around a sample - ./run, gpu-check, the bundle - must know of it. It tells them by
// --describe.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace amphora::app {

// A number by which trained models are judged.
struct Metric {
  std::string name;             // "test_accuracy": the summary's key
  std::string meaning = {};     // "percent": for --help
  std::string unit = {};        // "%": for tables
  int digits = 2;               // behind the point, in tables
  double max_difference = 0.0;  // from the cpu backend's mean over seeds, for gpu-check
};

// The values of a sample's metrics, each once, by name.
using Metrics = std::vector<std::pair<std::string, double>>;

// The files that a sample trains on; empty: it needs none.
struct DataFiles {
  std::string package = {};               // Debian's, which brings them
  std::string folder = {};                // where they are looked for unless told otherwise
  std::vector<std::string> names = {};    // each may have .gz behind it
  std::vector<std::string> instead = {};  // flags that make them needless: "--data"
  std::string advice = {};                // "give a folder with ...", where they are missing
};

struct Sample {
  std::string name = "sample";  // of the program: "mlp"
  std::string items = "items";  // what a batch counts: "images"
  std::vector<Metric> metrics = {};
  DataFiles data = {};
  std::vector<std::string> quick = {};  // flags of a run of seconds that skips a step or two in f16
};

// A line a fact, a key and its value, as docs/add_a_sample.md has them.
std::string description_of(const Sample& sample);

}  // namespace amphora::app
