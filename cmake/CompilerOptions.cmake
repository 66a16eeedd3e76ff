# Warnings and sanitizers for everything that this project compiles.

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# ccache, where it is installed and nothing else was asked for; precompiled headers need the leave to look past their times.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CCACHE_PROGRAM ccache)
  mark_as_advanced(CCACHE_PROGRAM)
  if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
endif()

add_compile_options(-Wall -Wextra "$<$<COMPILE_LANGUAGE:CXX>:-Wpedantic;-Wshadow>")
# Sums and products round one by one, as written: fused ones would differ from one instruction set to the next.
add_compile_options(-ffp-contract=off)
# A class may hold what its source alone knows; in a unity build that source counts as a header.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
endif()
# GCC searches its memory for garbage again and again, a tenth of its time; a source takes it less than a gigabyte in all.
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:--param=ggc-min-heapsize=4000000>)
endif()
if(AMPHORA_WERROR)
  add_compile_options("$<IF:$<COMPILE_LANGUAGE:CUDA>,-Werror=all-warnings,-Werror>")
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang) # newer ones see what the stable_sort of GCC 12's library uses
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-error=deprecated-declarations>)
  endif()
endif()

# The standard library checks its preconditions wherever assert() is on.
add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(AMPHORA_SANITIZE)
  list(JOIN AMPHORA_SANITIZE "," sanitizers)
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU) # which documents this warning as unreliable in instrumented code
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
