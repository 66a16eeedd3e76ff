# Turns folders into programs and tests. A folder that is missing or empty adds nothing.

include(GoogleTest)

function(amphora_add_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE amphora::app amphora_internals)
  if(TARGET amphora_cuda_module) # which a program loads when it runs
    add_dependencies(${name} amphora_cuda_module)
  endif()
endfunction()

# One program for each file of FOLDER, named PREFIX and the file's name.
function(amphora_add_programs folder prefix)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.cpp)
  foreach(file IN LISTS files)
    cmake_path(GET file STEM stem)
    amphora_add_program(${prefix}${stem} ${file})
  endforeach()
endfunction()

# One program for each folder FOLDER/NAME that holds NAME.cpp, of all its files, named PREFIX and NAME, with - for _ behind
# a prefix. The programs' names are left in FOLDER_programs in the caller's scope.
function(amphora_add_program_folders folder prefix)
  file(GLOB mains CONFIGURE_DEPENDS ${folder}/*/*.cpp)
  set(programs "")
  foreach(main IN LISTS mains)
    cmake_path(GET main STEM stem)
    cmake_path(GET main PARENT_PATH parent)
    cmake_path(GET parent FILENAME name)
    if(stem STREQUAL name)
      file(GLOB files CONFIGURE_DEPENDS ${parent}/*.cpp)
      if(prefix)
        string(REPLACE "_" "-" name ${name})
      endif()
      amphora_add_program(${prefix}${name} ${files})
      list(APPEND programs ${prefix}${name})
    endif()
  endforeach()
  set(${folder}_programs ${programs} PARENT_SCOPE)
endfunction()

# The target gpu_check: all that `./run gpu-check` needs.
function(amphora_add_gpu_check)
  list(JOIN samples_programs " " names)
  foreach(target amphora-gpu-check amphora_tools)
    if(TARGET ${target})
      target_compile_definitions(${target} PRIVATE "AMPHORA_SAMPLE_NAMES=\"${names}\"")
    endif()
  endforeach()
  set(programs amphora-gpu-check amphora-devices bench_ceilings bench_replay amphora_conformance amphora_train ${samples_programs})
  foreach(program IN LISTS programs)
    if(NOT TARGET ${program})
      return()
    endif()
  endforeach()
  if(TARGET amphora_tools)
    add_dependencies(amphora_tools amphora-gpu-check amphora-devices amphora_conformance bench_ceilings bench_replay)
    target_compile_definitions(amphora_tools PRIVATE "AMPHORA_GPU_CHECK=\"$<TARGET_FILE:amphora-gpu-check>\""
                                                     "AMPHORA_CEILINGS=\"$<TARGET_FILE:bench_ceilings>\"")
  endif()
  # Only a build without sanitizers is meant for other machines.
  if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT AMPHORA_SANITIZE)
    add_test(NAME gpu_bundle COMMAND ${PROJECT_SOURCE_DIR}/scripts/check_gpu_bundle ${PROJECT_BINARY_DIR} ${programs})
    set_tests_properties(gpu_bundle PROPERTIES LABELS bundle SKIP_RETURN_CODE 77 TIMEOUT 300)
  endif()
  if(TARGET amphora_cuda_module)
    list(APPEND programs amphora_cuda_module)
  endif()
  add_custom_target(gpu_check DEPENDS ${programs})
endfunction()

# What tests are compiled with. They are not optimised as far as the library: to build them takes longer than to run them.
function(amphora_configure_test target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE AMPHORA_SANITIZED=$<IF:$<BOOL:${AMPHORA_SANITIZE}>,1,0>)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gtest_main)
  if(TARGET amphora_cuda_emulated) # the module that a program loads where there is no GPU
    add_dependencies(${target} amphora_cuda_emulated)
    target_compile_definitions(${target} PRIVATE "AMPHORA_CUDA_EMULATED_MODULE=\"$<TARGET_FILE:amphora_cuda_emulated>\"")
  endif()
endfunction()

# A test program as a few tests of CTest, each a share of its own. Where a sanitizer watches, to start a process takes longer
# than most tests.
function(amphora_add_shards program)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PROPERTIES;ENVIRONMENT")
  set(shards 8)
  foreach(shard RANGE 1 ${shards})
    math(EXPR index "${shard} - 1")
    add_test(NAME ${program}_${shard} COMMAND ${program} --gtest_brief=1 WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(
      ${program}_${shard} PROPERTIES ${arg_PROPERTIES}
      ENVIRONMENT "${arg_ENVIRONMENT};GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# tests/support, which every test program is linked with, and the headers that all of them include, precompiled once.
function(amphora_add_test_support)
  file(GLOB support CONFIGURE_DEPENDS tests/support/*.cpp)
  add_library(amphora_test_support STATIC ${support})
  amphora_configure_test(amphora_test_support)
  target_link_libraries(amphora_test_support PRIVATE amphora::app amphora_internals)
  # As programs are compiled, which are to use the same precompiled headers.
  set_target_properties(amphora_test_support PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(amphora_test_support PRIVATE ${CMAKE_CXX_COMPILE_OPTIONS_PIE})
  target_precompile_headers(amphora_test_support PRIVATE <gtest/gtest.h> <amphora/amphora.h>)
endfunction()

# One program amphora_NAME and one label NAME for each folder tests/NAME.
function(amphora_add_tests)
  amphora_add_test_support()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS tests/*.cpp)
  list(FILTER files EXCLUDE REGEX "/tests/(support|cuda_emulator|consumer)/") # the last two build themselves
  if(NOT AMPHORA_VULKAN_FOUND)
    list(FILTER files EXCLUDE REGEX "/tests/vulkan/")
  endif()
  if(NOT TARGET amphora_cuda_emulated)
    list(FILTER files EXCLUDE REGEX "/tests/cuda/")
  endif()

  list(TRANSFORM files REPLACE "^${PROJECT_SOURCE_DIR}/tests/([^/]+)/.*$" "\\1" OUTPUT_VARIABLE names)
  list(REMOVE_DUPLICATES names)
  foreach(name IN LISTS names)
    set(own ${files})
    list(FILTER own INCLUDE REGEX "/tests/${name}/")
    if(name STREQUAL tools) # tests of what stands behind the tools' main functions
      file(GLOB tools CONFIGURE_DEPENDS tools/gpu_check/*.cpp)
      list(FILTER tools EXCLUDE REGEX "/gpu_check/gpu_check.cpp$")
      list(APPEND own ${tools})
    endif()
    amphora_add_program(amphora_${name} ${own})
    amphora_configure_test(amphora_${name})
    # These compute for minutes without optimisation; headers that are precompiled without it are not for their use.
    if(AMPHORA_SANITIZE AND name MATCHES "^(conformance|vulkan)$")
      target_compile_options(amphora_${name} PRIVATE -O1)
      set_target_properties(amphora_${name} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
    endif()
    target_link_libraries(amphora_${name} PRIVATE amphora_test_support)
    target_precompile_headers(amphora_${name} REUSE_FROM amphora_test_support)
    # Mesa's driver for the processor need not optimise kernels that run a few times: it takes as long as all the rest.
    set(environment "")
    if(name STREQUAL conformance)
      set(environment GALLIVM_PERF=nopt)
    endif()
    set(properties LABELS ${name} TIMEOUT 600)
    if(AMPHORA_SANITIZE)
      amphora_add_shards(amphora_${name} PROPERTIES ${properties} ENVIRONMENT "${environment}")
    else()
      # NO_PRETTY_VALUES keeps CTest's names equal to GoogleTest's, so that one filter serves both.
      gtest_discover_tests(
        amphora_${name} NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES ${properties} ENVIRONMENT "${environment}")
    endif()
  endforeach()

  if(TARGET amphora_vulkan)
    amphora_add_test_shaders(amphora_vulkan ${PROJECT_SOURCE_DIR}/tests/vulkan)
  endif()

  # The emulator's code is in the tests that look inside the backend, too.
  if(TARGET amphora_cuda_emulated)
    target_link_libraries(amphora_cuda PRIVATE amphora_cuda_emulation)
    list(JOIN AMPHORA_CUDA_ARCHITECTURES " " architectures)
    target_compile_definitions(
      amphora_cuda
      PRIVATE "AMPHORA_CUDA_ARCHITECTURES=\"${architectures}\"" "AMPHORA_STALE_MODULE=\"$<TARGET_FILE:amphora_cuda_stale>\""
              "AMPHORA_OTHER_LIBRARY=\"$<TARGET_FILE:ZLIB::ZLIB>\""
              "AMPHORA_INSTALLED_LIBRARIES=\"${CMAKE_INSTALL_FULL_LIBDIR}\"")
    add_dependencies(amphora_cuda amphora_cuda_stale)
  endif()

  # These tests run the sample as a user does. CMake's emulator is how this project's programs start.
  if(TARGET amphora_train AND TARGET mlp)
    add_dependencies(amphora_train mlp)
    list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " starter)
    string(STRIP "${starter} $<TARGET_FILE:mlp>" command)
    target_compile_definitions(amphora_train PRIVATE "AMPHORA_MLP=\"${command}\"")
  endif()
endfunction()
