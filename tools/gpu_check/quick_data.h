// A small data set in Fashion-MNIST's format, for a check that shall be over soon.
#pragma once

#include <filesystem>

namespace amphora::gpu_check {

// Writes it into a folder below `parent`, unless it is there, and returns the folder.
std::filesystem::path quick_data(const std::filesystem::path& parent);

}  // namespace amphora::gpu_check
