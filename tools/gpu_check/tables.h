// Tables for people, from the details that the steps leave.
#pragma once

#include <string>
#include <vector>

#include "amphora/io/table.h"
#include "report.h"

namespace amphora::gpu_check {

std::string markdown_table(const std::vector<io::Row>& rows);

// Counts of each suite, the largest error of each kernel, and what is unsupported; empty where nothing was counted.
std::string conformance_tables(const std::vector<Finding>& findings);
// Every sample on every backend in every precision, beside the cpu backend.
std::string sample_table(const std::vector<Finding>& findings);
// What each backend gives, and where two were measured, how the later compares with the first.
std::string benchmark_tables(const std::vector<Finding>& findings);

}  // namespace amphora::gpu_check
