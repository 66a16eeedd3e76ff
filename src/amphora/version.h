// The version of amphora. CMake reads it from here.
#pragma once

// Macros, so that a program can test them with #if.
// NOLINTBEGIN(modernize-macro-to-enum)
#define AMPHORA_VERSION_MAJOR 0
#define AMPHORA_VERSION_MINOR 1
#define AMPHORA_VERSION_PATCH 0
// NOLINTEND(modernize-macro-to-enum)
