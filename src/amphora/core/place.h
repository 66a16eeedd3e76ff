// Place: what runs now. For messages, dumps and traces; a thread's own is context().place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace amphora {

// A line of the program: as a default argument, that of the caller. std::source_location, which clang 14 lacks.
struct CodeLine {
  const char* file;
  int line;
  static constexpr CodeLine current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

struct Place {
  std::string_view phase;   // "forward", "backward", "recompute", "step"; empty outside of ops
  std::string_view op;      // "linear"; both live at least as long as the op runs
  std::string module;       // "layers.0"; empty outside of modules
  std::int64_t step = -1;   // of the training run, counted from 0; -1 where nobody counts
  bool recomputes = false;  // a forward pass is repeated for the backward pass
};

// "'linear' of layers.0, backward, step 12"; empty where nothing is known.
std::string describe(const Place& place);

}  // namespace amphora
