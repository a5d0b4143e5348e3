# A room is a folder of src/: one static library, and its tests.
#
#   marigram_room(coverage
#     ROOMS base                       other rooms, lower rows only
#     LIBRARIES marigram_roaring       anything else it links
#     SOURCES bucket_set.cc            written out, one by one
#     TESTS bucket_set_test.cc         one executable, bin/tests/coverage_test
#     CONCURRENT_TESTS race_test.cc    one executable, bin/tests/coverage_concurrent_test, also run under tsan
#     TEST_LIBRARIES marigram_arrow)   what only the tests link
#
# Each test is registered with ctest under the labels `unit` and the room's name (and `concurrent`).

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/rooms.txt")
file(STRINGS "${PROJECT_SOURCE_DIR}/cmake/rooms.txt" _rooms REGEX "^[a-z]")
foreach(_room IN LISTS _rooms)
  separate_arguments(_room UNIX_COMMAND "${_room}")
  list(GET _room 0 _name)
  list(GET _room 1 MARIGRAM_ROW_${_name})
endforeach()

# Whether a target links a library, directly or through others.
function(marigram_links target library result)
  set(${result} FALSE PARENT_SCOPE)
  set(reached ${target})
  while(reached)
    list(POP_FRONT reached next)
    if(next STREQUAL library)
      set(${result} TRUE PARENT_SCOPE)
      return()
    endif()
    if(TARGET ${next})
      get_target_property(linked ${next} INTERFACE_LINK_LIBRARIES)
      get_target_property(own ${next} LINK_LIBRARIES)
      foreach(lower IN LISTS linked own)
        if(lower MATCHES "^marigram_|::" AND NOT lower IN_LIST seen)
          list(APPEND seen ${lower})
          list(APPEND reached ${lower})
        endif()
      endforeach()
    endif()
  endwhile()
endfunction()

# Under the sanitizers' compiler parsing is half of the work, so what most files of a target include is parsed once for
# all. Not in other builds: g++ gains little by it, and there each file shows that it includes what it needs.
function(marigram_precompile target)
  get_target_property(sources ${target} SOURCES)
  list(LENGTH sources count)
  if(NOT MARIGRAM_SANITIZE OR count LESS 5)
    return()
  endif()
  set(headers <algorithm> <functional> <map> <memory> <optional> <span> <string> <variant> <vector> ${ARGN})
  foreach(pair "fmt::fmt fmt/format.h" "marigram_arrow arrow/api.h")
    separate_arguments(pair UNIX_COMMAND "${pair}")
    list(GET pair 0 library)
    list(GET pair 1 header)
    marigram_links(${target} ${library} is_linked)
    if(is_linked)
      list(APPEND headers <${header}>)
    endif()
  endforeach()
  target_precompile_headers(${target} PRIVATE ${headers})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")  # for the compiler cache
  endif()
endfunction()

function(marigram_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ROOMS;LIBRARIES;SOURCES;TESTS;CONCURRENT_TESTS;TEST_LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "cannot make room ${name}: unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT DEFINED MARIGRAM_ROW_${name})
    message(FATAL_ERROR "cannot make room ${name}: cmake/rooms.txt does not list it")
  endif()
  foreach(lower IN LISTS arg_ROOMS)
    if(NOT MARIGRAM_ROW_${lower} LESS MARIGRAM_ROW_${name})
      message(FATAL_ERROR "cannot link room ${name} (row ${MARIGRAM_ROW_${name}}) with ${lower} "
                          "(row ${MARIGRAM_ROW_${lower}}): want a lower row")
    endif()
    list(APPEND rooms marigram_${lower})
  endforeach()

  set(scope PUBLIC)
  if(arg_SOURCES)
    add_library(marigram_${name} STATIC ${arg_SOURCES})
    set_property(GLOBAL APPEND PROPERTY MARIGRAM_ROOMS_BUILT ${name})
  else()
    set(scope INTERFACE)
    add_library(marigram_${name} INTERFACE)
  endif()
  target_link_libraries(marigram_${name} ${scope} marigram_options ${rooms} ${arg_LIBRARIES})
  if(arg_SOURCES)
    marigram_precompile(marigram_${name})
  endif()

  if(MARIGRAM_TESTS)
    if(arg_TESTS)
      marigram_test(${name}_test LABELS unit ${name} SOURCES ${arg_TESTS} LIBRARIES marigram_${name} ${arg_TEST_LIBRARIES})
    endif()
    if(arg_CONCURRENT_TESTS)
      marigram_test(${name}_concurrent_test LABELS unit concurrent ${name} SOURCES ${arg_CONCURRENT_TESTS}
        LIBRARIES marigram_${name} ${arg_TEST_LIBRARIES})
    endif()
  endif()
endfunction()

# marigram_test(<executable> LABELS … SOURCES … LIBRARIES … [TIMEOUT s]): a GoogleTest executable in bin/tests, each of its
# tests one ctest test, named after the last label, that may take 300 s or so many; one that may take longer starts before
# others, so that it does not run alone at the end. MARIGRAM_SOURCE_DIR is the repository's root, for test data.
function(marigram_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS;SOURCES;LIBRARIES")
  set(cost "")
  if(arg_TIMEOUT)
    set(cost "COST ${arg_TIMEOUT}")
  else()
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE marigram_options ${arg_LIBRARIES}
    GTest::gmock GTest::gtest_main rapidcheck rapidcheck_gtest)
  marigram_precompile(${name} <gtest/gtest.h>)
  # What tests themselves compute need not be quick, so they are compiled quickly; what they test is as it is delivered.
  if(MARIGRAM_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)
  elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -O1)
  endif()
  if(MARIGRAM_FUZZ)
    target_compile_options(${name} PRIVATE -fno-sanitize=fuzzer-no-link)  # no fuzzer is guided by what tests cover
  endif()
  target_compile_definitions(${name} PRIVATE MARIGRAM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests")
  if("unit" IN_LIST arg_LABELS)
    add_dependencies(unit_tests ${name})
  endif()
  if("concurrent" IN_LIST arg_LABELS)
    add_dependencies(concurrent_tests ${name})
  endif()
  list(GET arg_LABELS -1 prefix)
  gtest_discover_tests(${name} TEST_PREFIX "${prefix}." TEST_LIST ${name}_list DISCOVERY_MODE PRE_TEST)
  # Properties that are lists do not survive gtest_discover_tests, so ctest sets them when it has found the tests.
  set(properties "${CMAKE_CURRENT_BINARY_DIR}/${name}_properties.cmake")
  file(CONFIGURE OUTPUT "${properties}" @ONLY CONTENT [[
if(@name@_list)
  set_tests_properties(${@name@_list} PROPERTIES
    TIMEOUT @arg_TIMEOUT@ @cost@ LABELS "@arg_LABELS@" ENVIRONMENT "@MARIGRAM_TEST_ENVIRONMENT@")
endif()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${properties}")
endfunction()

# What the sanitizers' runtimes are told, as ctest's ENVIRONMENT.
set(MARIGRAM_TEST_ENVIRONMENT "")
if(MARIGRAM_SANITIZE)
  set(_common "")
  find_program(MARIGRAM_SYMBOLIZER NAMES llvm-symbolizer-19 llvm-symbolizer)
  if(MARIGRAM_SYMBOLIZER AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(_common ":external_symbolizer_path=${MARIGRAM_SYMBOLIZER}")
  endif()
  set(MARIGRAM_TEST_ENVIRONMENT
    "TSAN_OPTIONS=halt_on_error=1:atexit_sleep_ms=50:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp${_common}"
    "ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1${_common}"
    "UBSAN_OPTIONS=print_stacktrace=1${_common}"
    "ARROW_DEFAULT_MEMORY_POOL=system")  # its own allocators hide from the sanitizers what is freed and used again
endif()
if(MARIGRAM_TESTS)
  include(GoogleTest)
  add_custom_target(unit_tests)        # builds what `ctest -L unit` runs
  add_custom_target(concurrent_tests)  # builds what `ctest -L concurrent` runs
endif()
