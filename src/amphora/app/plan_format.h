// How a recorded step is shown.
#pragma once

#include <cstdint>

namespace amphora::app {

enum class PlanFormat : std::uint8_t {
  text,   // each call with shapes, types, bytes, operations; then the memory map
  dump,   // values, and calls on them: to diff
  dot,    // a graph for Graphviz: calls, and the values that flow between them
  chrome  // a trace for chrome://tracing and Perfetto
};

}  // namespace amphora::app
