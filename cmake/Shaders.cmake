# Compiles shaders/*.comp to SPIR-V, validates it, and embeds it in the library.
#
# One file holds several kernels, each in a block `#ifdef KERNEL_<name>`, which becomes the module <name>. A block that
# says `// needs bfloat16` is left out where the compiler has no such capability; the names are those of
# cmake/shader_probes.

# Sets OUT to the modules that a file defines; what each needs is left in NAME_needs in the caller's scope.
function(amphora_shader_modules out file)
  # The list of modules is known at configure time, so a file that changes may change the build itself.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^#ifdef KERNEL_")
  set(names "")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^#ifdef KERNEL_([a-z0-9_]+)( +// needs ([a-z0-9_ ]+))?")
      message(FATAL_ERROR "${file}: not a kernel's name, which has lower case, digits and _: ${line}")
    endif()
    set(name ${CMAKE_MATCH_1})
    string(REGEX MATCHALL "[a-z0-9_]+" needs "${CMAKE_MATCH_3}")
    list(APPEND names ${name})
    list(APPEND ${name}_needs ${needs})
    set(${name}_needs ${${name}_needs} PARENT_SCOPE)
  endforeach()
  list(REMOVE_DUPLICATES names)
  set(${out} ${names} PARENT_SCOPE)
endfunction()

# Writes FILE, which names the rows of the shared tables in GLSL, such as UNARY_relu: a row's number is its place.
function(amphora_write_tables file)
  set(text "// Made by cmake/Shaders.cmake.\n")
  foreach(table IN ITEMS pointwise optim)
    set(path ${PROJECT_SOURCE_DIR}/src/amphora/kernel/shared/${table}.def)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} lines REGEX "^AM_[A-Z]+\\([a-z]")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "^AM_([A-Z]+)\\(([a-z0-9_]+),")
        message(FATAL_ERROR "${path}: not a row, which begins with its name: ${line}")
      endif()
      set(kind ${CMAKE_MATCH_1})
      set(name ${CMAKE_MATCH_2})
      if(NOT DEFINED ${kind}_count)
        set(${kind}_count 0)
      endif()
      string(APPEND text "#define ${kind}_${name} ${${kind}_count}u\n")
      math(EXPR ${kind}_count "${${kind}_count} + 1")
    endforeach()
  endforeach()
  file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY) # which leaves a file that is the same alone
endfunction()

# Adds the rule that makes FOLDER/NAME.inc, the words of the module NAME of FILE as C++ text.
function(amphora_compile_shader file name folder)
  set(spv ${folder}/${name}.spv)
  set(inc ${folder}/${name}.inc)
  # Only a module that was found valid becomes .inc.
  add_custom_command(
    OUTPUT ${spv} ${inc}
    COMMAND
      ${VULKAN_GLSLANG} --quiet -V --target-env vulkan1.3 -I${PROJECT_SOURCE_DIR}/shaders/include
      -I${PROJECT_BINARY_DIR}/shaders/include
      -I${PROJECT_SOURCE_DIR}/shaders -I${PROJECT_SOURCE_DIR}/src -DKERNEL_${name} --depfile ${spv}.d -o ${spv} ${file}
    COMMAND ${VULKAN_SPIRV_VAL} --target-env vulkan1.3 --scalar-block-layout ${spv}
    COMMAND sh -c "od -An -v -tx4 $0 | sed 's/ \\([0-9a-f]*\\)/0x\\1,/g' > $1" ${spv} ${inc}
    DEPENDS ${file}
    DEPFILE ${spv}.d
    COMMENT "Compiling shader ${name}"
    VERBATIM)
endfunction()

function(amphora_add_shaders target)
  set(folder ${PROJECT_BINARY_DIR}/shaders)
  file(MAKE_DIRECTORY ${folder})
  amphora_write_tables(${folder}/include/tables.glsl)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/shaders/*.comp)
  set(built "")
  foreach(file IN LISTS files)
    amphora_shader_modules(names ${file})
    foreach(name IN LISTS names)
      if(DEFINED ${name}_file)
        message(FATAL_ERROR "the shader ${name} stands in two files: ${${name}_file} and ${file}")
      endif()
      set(${name}_file ${file})
      set(lacking ${${name}_needs})
      list(REMOVE_ITEM lacking ${VULKAN_CAPABILITIES})
      foreach(capability IN LISTS lacking)
        if(NOT EXISTS ${PROJECT_SOURCE_DIR}/cmake/shader_probes/${capability}.comp)
          message(FATAL_ERROR "${file}: ${name} needs ${capability}, for which there is no shader probe")
        endif()
      endforeach()
      if(NOT lacking)
        amphora_compile_shader(${file} ${name} ${folder})
        list(APPEND built ${name})
      endif()
    endforeach()
  endforeach()

  list(SORT built)
  set(arrays "")
  set(rows "")
  set(includes "")
  foreach(name IN LISTS built)
    string(APPEND arrays "constexpr std::uint32_t k_${name}[] = {\n#include \"${name}.inc\"\n};\n")
    string(APPEND rows "    {\"${name}\", k_${name}},\n")
    list(APPEND includes ${folder}/${name}.inc)
  endforeach()
  list(LENGTH built count)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/shader_library.cpp.in ${folder}/shader_library.cpp @ONLY)
  set_source_files_properties(${folder}/shader_library.cpp PROPERTIES OBJECT_DEPENDS "${includes}")
  target_sources(${target} PRIVATE ${folder}/shader_library.cpp)
endfunction()

# Compiles FOLDER/*.comp into TARGET, whose sources find the module NAME as
#   namespace amphora::vulkan { std::span<const std::uint32_t> shader_NAME(); }
function(amphora_add_test_shaders target folder)
  set(out ${PROJECT_BINARY_DIR}/test_shaders)
  file(MAKE_DIRECTORY ${out})
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.comp)
  foreach(file IN LISTS files)
    amphora_shader_modules(names ${file})
    foreach(name IN LISTS names)
      amphora_compile_shader(${file} ${name} ${out})
      file(
        CONFIGURE
        OUTPUT ${out}/${name}.cpp
        CONTENT
          "#include <cstdint>
#include <span>
namespace amphora::vulkan {
static constexpr std::uint32_t kWords[] = {
#include \"@name@.inc\"
};
std::span<const std::uint32_t> shader_@name@();
std::span<const std::uint32_t> shader_@name@() { return kWords; }
}
"
        @ONLY)
      set_source_files_properties(${out}/${name}.cpp PROPERTIES OBJECT_DEPENDS ${out}/${name}.inc
                                                                SKIP_UNITY_BUILD_INCLUSION ON)
      target_sources(${target} PRIVATE ${out}/${name}.cpp)
    endforeach()
  endforeach()
endfunction()
