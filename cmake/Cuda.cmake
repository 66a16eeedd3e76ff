# Finds the CUDA Toolkit, and builds the module libamphora_cuda.so, which the programs load when it is asked for.
#
# AMPHORA_CUDA: AUTO builds it where the toolkit is, ON demands it, OFF leaves it out.
# AMPHORA_CUDA_ARCHITECTURES: as CMAKE_CUDA_ARCHITECTURES. By default machine code for Ampere, Hopper and Blackwell, and
# PTX from which the driver compiles for every other device since Turing.

set(AMPHORA_CUDA AUTO CACHE STRING "Build the CUDA backend: AUTO, ON or OFF")
set_property(CACHE AMPHORA_CUDA PROPERTY STRINGS AUTO ON OFF)
set(AMPHORA_CUDA_ARCHITECTURES "80-real;90a-real;100-real;75-virtual" CACHE STRING
                                                                           "Architectures of the CUDA kernels")

set(AMPHORA_CUDA_FOUND FALSE)
if(AMPHORA_CUDA)
  include(CheckLanguage)
  find_package(CUDAToolkit 13.0 QUIET)
  if(CUDAToolkit_FOUND AND TARGET CUDA::cublasLt)
    set(CMAKE_CUDA_ARCHITECTURES ${AMPHORA_CUDA_ARCHITECTURES})
    if(NOT CMAKE_CUDA_COMPILER)
      set(ENV{CUDACXX} ${CUDAToolkit_NVCC_EXECUTABLE})
    endif()
    check_language(CUDA)
  endif()
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25 does not know that nvcc has it
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    endif()
    set(AMPHORA_CUDA_FOUND TRUE)
    message(STATUS "CUDA: built with ${CUDAToolkit_VERSION} for ${AMPHORA_CUDA_ARCHITECTURES}")
  elseif(AMPHORA_CUDA STREQUAL AUTO)
    message(STATUS "CUDA: not built (no CUDA Toolkit 13 with nvcc and cuBLASLt)")
  else()
    message(FATAL_ERROR "AMPHORA_CUDA is ${AMPHORA_CUDA}, but there is no CUDA Toolkit 13 with nvcc and cuBLASLt. Install "
                        "it, or let CUDAToolkit_ROOT name its folder")
  endif()
else()
  message(STATUS "CUDA: not built (AMPHORA_CUDA is ${AMPHORA_CUDA})")
endif()

# Program and module exchange C++ objects, so both carry a digest of what they must agree on.
set(interface core/buffer.h core/dtype.h core/error.h device/accuracy.h device/backend.h device/device.h kernel/call.h
              kernel/functions.h kernel/kernels.def kernel/kernels.h kernel/shared/optim.def kernel/shared/params.def
              kernel/shared/params.h kernel/shared/pointwise.def)
list(TRANSFORM interface PREPEND ${PROJECT_SOURCE_DIR}/src/amphora/)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${interface})
set(digests ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE})
foreach(header IN LISTS interface)
  file(SHA256 ${header} digest)
  string(APPEND digests ${digest})
endforeach()
string(SHA256 digests "${digests}")
string(SUBSTRING ${digests} 0 12 digests)
set(AMPHORA_MODULE_VERSION "${PROJECT_VERSION}-${digests}")

# The sources that the module and the tests' emulator of it share, from the project's root.
file(GLOB AMPHORA_CUDA_SOURCES RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS backends/cuda/*.cpp backends/cuda/launchers/*.cpp cuda/*.cu)
list(FILTER AMPHORA_CUDA_SOURCES EXCLUDE REGEX "/loader.cpp$") # the program's side

# What every build of these sources needs.
function(amphora_configure_cuda_module target)
  target_link_libraries(${target} PRIVATE amphora::amphora amphora_internals)
  list(JOIN AMPHORA_CUDA_ARCHITECTURES " " architectures)
  target_compile_definitions(${target} PRIVATE "AMPHORA_CUDA_ARCHITECTURES=\"${architectures}\""
                                               "AMPHORA_MODULE_VERSION=\"${AMPHORA_MODULE_VERSION}\"")
  set_target_properties(
    ${target} PROPERTIES CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                         LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
  # The module brings its own copy of the library's code; only its two functions are seen.
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL)
  # Clang's sanitizers are in the program alone; the module finds them there.
  if(NOT AMPHORA_SANITIZE OR CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()
endfunction()

# The kernels in as many sources as a small machine has cores: each source is read once for each architecture, and most
# of that time goes into CUDA's headers. CMake's own unity builds know no CUDA.
function(amphora_join_kernels sources)
  set(result ${AMPHORA_CUDA_SOURCES})
  if(CMAKE_UNITY_BUILD)
    set(kernels ${result})
    list(FILTER kernels INCLUDE REGEX "\\.cu$")
    list(REMOVE_ITEM result ${kernels})
    set(content_0 "")
    set(content_1 "")
    set(half 0)
    foreach(kernel IN LISTS kernels)
      string(APPEND content_${half} "#include \"${kernel}\"\n")
      math(EXPR half "1 - ${half}")
    endforeach()
    foreach(half 0 1)
      set(file ${PROJECT_BINARY_DIR}/kernels_${half}.cu)
      file(CONFIGURE OUTPUT ${file} CONTENT "${content_${half}}" @ONLY)
      list(APPEND result ${file})
    endforeach()
  endif()
  set(${sources} ${result} PARENT_SCOPE)
endfunction()

function(amphora_add_cuda_module)
  amphora_join_kernels(sources)
  add_library(amphora_cuda_module MODULE ${sources})
  set_target_properties(amphora_cuda_module PROPERTIES OUTPUT_NAME amphora_cuda INSTALL_RPATH "$ORIGIN")
  amphora_configure_cuda_module(amphora_cuda_module)
  target_link_libraries(amphora_cuda_module PRIVATE CUDA::cudart_static CUDA::cublasLt)
  set_target_properties(amphora_cuda_module PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF)
  # Products and sums round one by one, as on every other backend. Where a fused one is wanted it is written out.
  target_compile_options(amphora_cuda_module PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--fmad=false>)
endfunction()
