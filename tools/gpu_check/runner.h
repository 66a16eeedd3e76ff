// What all steps are made of: a program of this project, started as a child, and what it left behind.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "amphora/io/json.h"
#include "process.h"
#include "report.h"

namespace amphora::gpu_check {

struct Options {
  std::filesystem::path programs;  // the folder of amphora_conformance, mlp, ...
  std::filesystem::path starter;   // starts a program that is its argument; empty: programs start by themselves
  std::filesystem::path logs;
  std::vector<std::string> backends = {"cuda", "vulkan"};
  float limit_seconds = 1800.0f;  // a child process
  bool quick = false;             // a part of the tests, small benchmarks
  bool emulated = false;          // a device that runs on the processor counts, too
  std::uint64_t seed = 1;         // the first of the samples' runs
};

// One of this project's programs, through the starter.
Command program(const Options& options, const std::string& name, const std::vector<std::string>& arguments);

// The step's name as a part of a file's.
std::string slug(std::string step);
std::filesystem::path log_file(const Options& options, const std::string& step, const char* extension);

// Runs a step's program and begins its finding: the result by the exit code; `measured` only where it failed.
Finding run_step(const Options& options, const std::string& step, const Command& command);
// Makes a finding one that failed.
void fail(Finding& finding, const std::string& measured, const std::string& output);

std::string text_of(const std::filesystem::path& path);  // empty where there is no such file
io::Json json_of(const std::filesystem::path& path);     // null where it is missing or cut off
std::string last_line(std::string_view text);

}  // namespace amphora::gpu_check
