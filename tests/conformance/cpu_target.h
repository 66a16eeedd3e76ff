// The cpu backend's vectorised kernels, compiled for one instruction set.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/cpu/threads.h"
#include "conformance/subject.h"

namespace amphora::conformance {

// `target` is one of Highway's numbers.
std::unique_ptr<Subject> cpu_target(std::string name, std::int64_t target);

// A pool of that many threads, kept until the program ends.
cpu::Threads& threads(int count);

}  // namespace amphora::conformance
