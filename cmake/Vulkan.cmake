# Finds what the Vulkan backend is built with: headers, volk, VulkanMemoryAllocator, a GLSL compiler and a SPIR-V
# validator. A source is taken whole or not at all, so that compiler and headers fit: VULKAN_SDK, else the system, else
# the kit that scripts/vulkan_kit unpacks. Nothing is cached: a kit that arrives later is seen when CMake runs next.
#
# Sets AMPHORA_VULKAN_FOUND, and then VULKAN_GLSLANG and VULKAN_SPIRV_VAL (command lists), VULKAN_CAPABILITIES (the
# names of those cmake/shader_probes that compile), and the target amphora_vulkan_headers.

set(AMPHORA_VULKAN AUTO CACHE STRING "Build the Vulkan backend: AUTO (where its tools are found), ON or OFF")
set_property(CACHE AMPHORA_VULKAN PROPERTY STRINGS AUTO ON OFF)

set(vulkan_kit ${PROJECT_SOURCE_DIR}/.deps/vulkan)
# What the backend names in its code, so headers without it are too old.
set(vulkan_needed_extensions VK_KHR_cooperative_matrix VK_KHR_shader_bfloat16 VK_NV_cooperative_matrix2)
# Without it a compiler is too old; the other capabilities may be missing.
set(vulkan_needed_capability cooperative_matrix)

# The kit's programs need the kit's C library, hence they start through the kit's loader. Sets OUT to the start of the
# command, which is empty for programs of the system.
function(amphora_vulkan_starter out source)
  set(${out} "" PARENT_SCOPE)
  if(source STREQUAL kit)
    file(GLOB loader ${vulkan_kit}/usr/lib/*-linux-gnu/ld-linux*.so.[0-9])
    cmake_path(GET loader PARENT_PATH libraries)
    set(${out} ${loader} --library-path ${libraries} PARENT_SCOPE)
  endif()
endfunction()

# Sets OUT to the names of those shader probes that glslang compiles and spirv-val accepts.
function(amphora_vulkan_probe out glslang spirv_val)
  file(GLOB probes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/shader_probes/*.comp)
  set(passed "")
  foreach(probe IN LISTS probes)
    cmake_path(GET probe STEM name)
    set(module ${PROJECT_BINARY_DIR}/CMakeFiles/shader_probes/${name}.spv)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/CMakeFiles/shader_probes)
    execute_process(COMMAND ${glslang} -V --target-env vulkan1.3 -o ${module} ${probe} RESULT_VARIABLE failed
                    OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
      execute_process(COMMAND ${spirv_val} --target-env vulkan1.3 ${module} RESULT_VARIABLE failed OUTPUT_QUIET
                      ERROR_QUIET)
    endif()
    if(NOT failed)
      list(APPEND passed ${name})
    endif()
  endforeach()
  set(${out} ${passed} PARENT_SCOPE)
endfunction()

# Adds the reason why a source is not taken, and leaves the calling function.
macro(amphora_vulkan_reject reason)
  set(vulkan_reasons ${vulkan_reasons} "${source}: ${reason}" PARENT_SCOPE)
  return()
endmacro()

# Takes one source, unless an earlier one was taken. PREFIX is empty for the system.
function(amphora_vulkan_try source prefix)
  if(AMPHORA_VULKAN_FOUND)
    return()
  endif()
  set(where "")
  if(prefix)
    set(where PATHS ${prefix} NO_DEFAULT_PATH)
  endif()
  find_path(headers vulkan/vulkan_core.h ${where} PATH_SUFFIXES include NO_CACHE)
  find_path(volk volk.c ${where} PATH_SUFFIXES include include/Volk include/volk Volk volk NO_CACHE)
  find_path(vma vk_mem_alloc.h ${where} PATH_SUFFIXES include include/vma vma NO_CACHE)
  find_program(glslang NAMES glslangValidator glslang ${where} PATH_SUFFIXES bin NO_CACHE)
  find_program(spirv_val spirv-val ${where} PATH_SUFFIXES bin NO_CACHE)
  set(missing "")
  foreach(thing headers volk vma glslang spirv_val)
    if(NOT ${thing})
      list(APPEND missing ${thing})
    endif()
  endforeach()
  if(missing)
    list(JOIN missing ", " missing)
    amphora_vulkan_reject("no ${missing}")
  endif()

  file(STRINGS ${headers}/vulkan/vulkan_core.h lines REGEX "^#define (VK_HEADER_VERSION |[A-Z0-9_]+_EXTENSION_NAME )")
  string(REGEX MATCH "VK_HEADER_VERSION +([0-9]+)" _ "${lines}")
  set(header_version ${CMAKE_MATCH_1})
  foreach(extension IN LISTS vulkan_needed_extensions)
    if(NOT lines MATCHES "\"${extension}\"")
      amphora_vulkan_reject("headers ${header_version} don't know ${extension}")
    endif()
  endforeach()

  amphora_vulkan_starter(starter ${source})
  amphora_vulkan_probe(capabilities "${starter};${glslang}" "${starter};${spirv_val}")
  if(NOT vulkan_needed_capability IN_LIST capabilities)
    amphora_vulkan_reject("glslang doesn't compile ${vulkan_needed_capability}")
  endif()

  add_library(amphora_vulkan_headers INTERFACE)
  set(folders ${headers} ${volk} ${vma})
  list(REMOVE_DUPLICATES folders)
  # As system headers, so that their warnings are not ours.
  target_include_directories(amphora_vulkan_headers SYSTEM INTERFACE ${folders})
  target_compile_definitions(amphora_vulkan_headers INTERFACE VK_NO_PROTOTYPES)

  list(JOIN capabilities ", " text)
  message(STATUS "Vulkan: built with ${source}, headers ${header_version}; shaders may use ${text}")
  if(vulkan_reasons)
    list(JOIN vulkan_reasons "; " text)
    message(STATUS "Vulkan: not taken: ${text}")
  endif()
  set(AMPHORA_VULKAN_FOUND TRUE PARENT_SCOPE)
  set(VULKAN_CAPABILITIES ${capabilities} PARENT_SCOPE)
  set(VULKAN_GLSLANG ${starter} ${glslang} PARENT_SCOPE)
  set(VULKAN_SPIRV_VAL ${starter} ${spirv_val} PARENT_SCOPE)
endfunction()

set(AMPHORA_VULKAN_FOUND FALSE)
if(AMPHORA_VULKAN)
  set(vulkan_reasons "")
  if(NOT "$ENV{VULKAN_SDK}" STREQUAL "")
    amphora_vulkan_try(VULKAN_SDK $ENV{VULKAN_SDK})
  endif()
  amphora_vulkan_try(system "")
  amphora_vulkan_try(kit ${vulkan_kit}/usr)
  list(JOIN vulkan_reasons "; " vulkan_reasons)
  if(NOT AMPHORA_VULKAN_FOUND AND NOT AMPHORA_VULKAN STREQUAL AUTO)
    message(FATAL_ERROR "AMPHORA_VULKAN is ${AMPHORA_VULKAN}, but there is nothing to build it with "
                        "(${vulkan_reasons}). Run scripts/vulkan_kit, or set VULKAN_SDK")
  elseif(NOT AMPHORA_VULKAN_FOUND)
    message(STATUS "Vulkan: not built (${vulkan_reasons}); scripts/vulkan_kit brings what is missing")
  endif()
else()
  message(STATUS "Vulkan: not built (AMPHORA_VULKAN is ${AMPHORA_VULKAN})")
endif()
