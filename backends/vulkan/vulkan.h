// The Vulkan headers as this backend uses them: no prototypes, every function through volk, so that a program starts
// without a Vulkan loader.
#pragma once

#include <volk.h>
#include <vulkan/vulkan.h>
