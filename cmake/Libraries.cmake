# Finds the libraries that amphora itself is linked with. The build includes this file, and so does the installed
# package, which gives a consumer of the static library the same targets.
#
# Sets AMPHORA_MISSING_PACKAGES to the Debian packages that bring what is missing.

set(AMPHORA_MISSING_PACKAGES "")

# A dependency that ships a CMake package.
macro(amphora_find name target package)
  find_package(${name} QUIET)
  if(NOT TARGET ${target})
    list(APPEND AMPHORA_MISSING_PACKAGES ${package})
  endif()
endmacro()

# A dependency found by header and library: not every release of it ships a CMake package.
function(amphora_find_library target header library package)
  if(TARGET ${target})
    return()
  endif()
  string(TOUPPER ${library} var)
  find_path(${var}_INCLUDE_DIR ${header} PATH_SUFFIXES ${ARGN})
  find_library(${var}_LIBRARY ${library})
  mark_as_advanced(${var}_INCLUDE_DIR ${var}_LIBRARY)
  if(${var}_INCLUDE_DIR AND ${var}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${var}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                                   ${${var}_INCLUDE_DIR})
  else()
    set(AMPHORA_MISSING_PACKAGES ${AMPHORA_MISSING_PACKAGES} ${package} PARENT_SCOPE)
  endif()
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
amphora_find(fmt fmt::fmt libfmt-dev)
amphora_find(ZLIB ZLIB::ZLIB zlib1g-dev)
amphora_find_library(amphora_openblas cblas.h openblas libopenblas-dev openblas-pthread openblas)
amphora_find_library(amphora_hwy hwy/highway.h hwy libhwy-dev)
amphora_find_library(amphora_hwy_contrib hwy/contrib/algo/copy-inl.h hwy_contrib libhwy-dev)
