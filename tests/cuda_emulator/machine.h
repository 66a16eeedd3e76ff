// The machine that is emulated, as AMPHORA_CUDA_EMULATOR describes it: words apart by spaces, read anew at each query.
//
//   devices=0        the driver finds no device
//   driver=0         no driver;  driver=12040: one that is too old
//   capability=7.0   of the device
//   image=none       this build's kernels are not for the device
//   memory=64M       of the device, in all
//   used=32M         of it by another process
//   vmm=0            addresses cannot be reserved
//   fault=2          the second launch from now on ends in an error, which the next synchronisation reports
#pragma once

#include <cstddef>
#include <string>

namespace amphora::emulator {

inline constexpr int kVersion = 13000;  // of the runtime

struct Machine {
  int devices = 1;
  int driver = kVersion;
  int major = 9;
  int minor = 0;
  bool image = true;
  std::size_t memory = std::size_t{1} << 30;
  std::size_t used = 0;
  bool vmm = true;
  int fault = 0;  // 0: none

  int multiprocessors = 4;
  int threads = 2048;  // of a multiprocessor
};

// Ends the process on a word that it does not know: a test would pass for the wrong reason.
Machine machine();

// Counts a launch; whether it is the one that ends in an error.
bool count_launch();

// Takes device memory; false when there is not so much. Whatever the kind of it.
bool take_memory(std::size_t bytes);
void give_memory(std::size_t bytes);
std::size_t free_memory();

// Nanoseconds of the device's time, which nothing but its work moves on: the same in every run.
void pass_time(double nanoseconds);
double device_time();

}  // namespace amphora::emulator
