# `cmake --install`: libraries, headers under include/amphora, the CUDA module, and the package that find_package(amphora)
# reads.

include(CMakePackageConfigHelpers)

function(amphora_install)
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/amphora)
  install(TARGETS amphora amphora_app EXPORT amphoraTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT amphoraTargets NAMESPACE amphora:: DESTINATION ${package})
  if(TARGET amphora_cuda_module)
    install(TARGETS amphora_cuda_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/amphora DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

  set(folder ${PROJECT_BINARY_DIR}/package)
  configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/amphoraConfig.cmake.in ${folder}/amphoraConfig.cmake INSTALL_DESTINATION ${package}
    PATH_VARS CMAKE_INSTALL_LIBDIR)
  write_basic_package_version_file(${folder}/amphoraConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${folder}/amphoraConfig.cmake ${folder}/amphoraConfigVersion.cmake
                ${PROJECT_SOURCE_DIR}/cmake/Libraries.cmake DESTINATION ${package})
endfunction()

# Installs into the build's folder, and builds and runs tests/consumer against that.
function(amphora_add_consumer_test)
  set(installed ${PROJECT_BINARY_DIR}/package/installed)
  add_test(NAME package_install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${installed})
  add_test(
    NAME package_consumer
    COMMAND
      ${CMAKE_CTEST_COMMAND} --build-and-test ${PROJECT_SOURCE_DIR}/tests/consumer ${PROJECT_BINARY_DIR}/package/consumer
      --build-generator ${CMAKE_GENERATOR} --build-options -DCMAKE_PREFIX_PATH=${installed} -DCMAKE_BUILD_TYPE=Debug
      -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} --test-command consumer)
  set_tests_properties(package_install PROPERTIES LABELS package FIXTURES_SETUP installed_package)
  set_tests_properties(package_consumer PROPERTIES LABELS package FIXTURES_REQUIRED installed_package TIMEOUT 300)
endfunction()
