# Finds every dependency, and names the missing ones all at once with the Debian package that brings each.

include(Libraries)
amphora_find(nlohmann_json nlohmann_json::nlohmann_json nlohmann-json3-dev)
amphora_find(CLI11 CLI11::CLI11 libcli11-dev)
if(AMPHORA_TESTS)
  amphora_find(GTest GTest::gtest_main libgtest-dev)
endif()

if(AMPHORA_MISSING_PACKAGES)
  list(REMOVE_DUPLICATES AMPHORA_MISSING_PACKAGES)
  list(JOIN AMPHORA_MISSING_PACKAGES " " missing)
  message(FATAL_ERROR "Missing dependencies. On Debian or Ubuntu `./run build` installs them; "
                      "elsewhere install what these Debian packages bring: ${missing}")
endif()
