# Finds every dependency, and names the missing ones all at once with the Debian package that brings each.

set(missing_packages "")

# A dependency that ships a CMake package.
macro(amphora_find name target package)
  find_package(${name} QUIET)
  if(NOT TARGET ${target})
    list(APPEND missing_packages ${package})
  endif()
endmacro()

# A dependency found by header and library: not every release of it ships a CMake package.
function(amphora_find_library target header library package)
  string(TOUPPER ${library} var)
  find_path(${var}_INCLUDE_DIR ${header} PATH_SUFFIXES ${ARGN})
  find_library(${var}_LIBRARY ${library})
  mark_as_advanced(${var}_INCLUDE_DIR ${var}_LIBRARY)
  if(${var}_INCLUDE_DIR AND ${var}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${var}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                                   ${${var}_INCLUDE_DIR})
  else()
    set(missing_packages ${missing_packages} ${package} PARENT_SCOPE)
  endif()
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
amphora_find(fmt fmt::fmt libfmt-dev)
amphora_find(nlohmann_json nlohmann_json::nlohmann_json nlohmann-json3-dev)
amphora_find(CLI11 CLI11::CLI11 libcli11-dev)
amphora_find(ZLIB ZLIB::ZLIB zlib1g-dev)
amphora_find_library(amphora_openblas cblas.h openblas libopenblas-dev openblas-pthread openblas)
amphora_find_library(amphora_hwy hwy/highway.h hwy libhwy-dev)
amphora_find_library(amphora_hwy_contrib hwy/contrib/algo/copy-inl.h hwy_contrib libhwy-dev)
if(AMPHORA_TESTS)
  amphora_find(GTest GTest::gtest_main libgtest-dev)
endif()

if(missing_packages)
  list(REMOVE_DUPLICATES missing_packages)
  list(JOIN missing_packages " " missing_packages)
  message(FATAL_ERROR "Missing dependencies. On Debian or Ubuntu `./run build` installs them; "
                      "elsewhere install what these Debian packages bring: ${missing_packages}")
endif()

add_library(amphora_highway INTERFACE)
target_link_libraries(amphora_highway INTERFACE amphora_hwy_contrib amphora_hwy)
# The distributions ship Highway as shared libraries, whose headers expect this.
target_compile_definitions(amphora_highway INTERFACE HWY_SHARED_DEFINE)
