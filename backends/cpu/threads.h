// A fixed pool of threads that runs numbered tasks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace amphora::cpu {

class Threads {
 public:
  // `count` threads, the caller's among them; 0: one for each core of this machine.
  explicit Threads(int count);
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads();

  int count() const;

  // Runs task(0) ... task(tasks - 1), each once, and returns when all are done. Which thread runs a task is open, so a
  // kernel splits its work by shape alone and each task writes its own results: bits never depend on count().
  void run(std::int64_t tasks, const std::function<void(std::int64_t)>& task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace amphora::cpu
