# marigram_fuzz_target(<name> SOURCES … LIBRARIES …): a libFuzzer executable bin/fuzz/<name> over
# LLVMFuzzerTestOneInput. Its seed inputs, if any, lie in tests/fuzz/corpus/<name>/. Does nothing without MARIGRAM_FUZZ,
# which the asan preset sets.
if(MARIGRAM_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "cannot build fuzz targets: libFuzzer needs clang; got ${CMAKE_CXX_COMPILER_ID}, "
                      "use cmake --preset asan")
endif()

if(MARIGRAM_FUZZ)
  add_custom_target(fuzz_targets)  # builds them and what they link, and no more
endif()

function(marigram_fuzz_target name)
  if(NOT MARIGRAM_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE marigram_options ${arg_LIBRARIES})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/fuzz")
endfunction()
