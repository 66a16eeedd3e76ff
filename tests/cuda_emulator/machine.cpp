#include "cuda_emulator/machine.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <sstream>

namespace amphora::emulator {
namespace {

std::mutex machine_mutex;
std::size_t taken = 0;
double now = 0.0;
std::string counted_on;  // the variable's value when the count of launches began
int launches = 0;

std::string variable() {
  const char* text = std::getenv("AMPHORA_CUDA_EMULATOR");
  return text == nullptr ? "" : text;
}

// 64M, 2G, 4096
std::size_t bytes_of(const std::string& text) {
  char* unit = nullptr;
  const std::size_t number = std::strtoull(text.c_str(), &unit, 10);
  return *unit == 'M' ? number << 20 : *unit == 'G' ? number << 30 : number;
}

void apply(const std::string& key, const std::string& value, Machine& machine) {
  if (key == "devices") {
    machine.devices = std::stoi(value);
  } else if (key == "driver") {
    machine.driver = std::stoi(value);
  } else if (key == "capability") {
    machine.major = std::stoi(value);
    machine.minor = std::stoi(value.substr(value.find('.') + 1));
  } else if (key == "image") {
    machine.image = value != "none";
  } else if (key == "memory") {
    machine.memory = bytes_of(value);
  } else if (key == "used") {
    machine.used = bytes_of(value);
  } else if (key == "vmm") {
    machine.vmm = value != "0";
  } else if (key == "fault") {
    machine.fault = std::stoi(value);
  } else {
    std::fprintf(stderr, "AMPHORA_CUDA_EMULATOR has '%s', which the emulator does not know\n", key.c_str());
    std::abort();
  }
}

std::size_t free_on(const Machine& machine) {
  const std::size_t used = taken + machine.used;
  return machine.memory > used ? machine.memory - used : 0;
}

}  // namespace

Machine machine() {
  Machine result;
  std::istringstream words(variable());
  for (std::string word; words >> word;) {
    const std::size_t sign = std::min(word.find('='), word.size() - 1);
    apply(word.substr(0, sign), word.substr(sign + 1), result);
  }
  return result;
}

bool count_launch() {
  const std::lock_guard lock(machine_mutex);
  const std::string here = variable();
  if (here != counted_on) {
    counted_on = here;
    launches = 0;
  }
  return ++launches == machine().fault;
}

bool take_memory(std::size_t bytes) {
  const std::lock_guard lock(machine_mutex);
  if (bytes > free_on(machine())) return false;
  taken += bytes;
  return true;
}

void give_memory(std::size_t bytes) {
  const std::lock_guard lock(machine_mutex);
  taken -= bytes;
}

std::size_t free_memory() {
  const std::lock_guard lock(machine_mutex);
  return free_on(machine());
}

void pass_time(double nanoseconds) {
  const std::lock_guard lock(machine_mutex);
  now += nanoseconds;
}

double device_time() {
  const std::lock_guard lock(machine_mutex);
  return now;
}

}  // namespace amphora::emulator
