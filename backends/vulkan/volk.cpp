// The loader's functions, compiled once.
#define VOLK_IMPLEMENTATION
#include "backends/vulkan/vulkan.h"
