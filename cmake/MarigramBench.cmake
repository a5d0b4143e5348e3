# marigram_bench(<name> SOURCES … LIBRARIES …): an executable bin/bench/<name>, run by `make bench`. It links Google
# Benchmark but has its own main unless it links benchmark::benchmark_main.
function(marigram_bench name)
  if(NOT MARIGRAM_BENCHES)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE marigram_options ${arg_LIBRARIES} benchmark::benchmark)
  target_compile_definitions(${name} PRIVATE MARIGRAM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/bench")
endfunction()
