# How everything of ours is compiled: target marigram_options, which each room, test and bench links.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or Sanitize" FORCE)
endif()

# Assertions guard the user's data and stay on in every build, so no build defines NDEBUG.
set(CMAKE_C_FLAGS_RELEASE "-O3")
set(CMAKE_CXX_FLAGS_RELEASE "-O3")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -D_GLIBCXX_ASSERTIONS")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

find_package(Threads REQUIRED)

# A compiler cache and a fast linker are used where they exist; nothing depends on them.
find_program(MARIGRAM_CCACHE ccache)
if(MARIGRAM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${MARIGRAM_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MARIGRAM_CCACHE}")
endif()
find_program(MARIGRAM_MOLD mold)
if(MARIGRAM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(MARIGRAM_SANITIZE)
  # fuzzer-no-link is a matter of compiling only; the fuzz targets link the fuzzer's main themselves.
  string(REPLACE ",fuzzer-no-link" "" _link_sanitize "${MARIGRAM_SANITIZE}")
  add_compile_options("-fsanitize=${MARIGRAM_SANITIZE}" -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${_link_sanitize}")
endif()

add_library(marigram_options INTERFACE)
target_include_directories(marigram_options INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(marigram_options INTERFACE Threads::Threads)
target_compile_options(marigram_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -Wno-missing-field-initializers)  # options are given by name: {.from = t0, .limit = 10}; the rest has defaults
if(MARIGRAM_WERROR)
  target_compile_options(marigram_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # g++ 12 sees overlaps and overflows inside std::string's operator+ (GCC bug 105651) and fmt's formatting that are not
    # there. The sanitizers look for the real ones.
    target_compile_options(marigram_options INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
  endif()
  if(MARIGRAM_SANITIZE)
    # The sanitizers' extra branches make this warning see paths that do not exist.
    target_compile_options(marigram_options INTERFACE -Wno-maybe-uninitialized)
  endif()
else()
  # clang takes the standard library's own use of its deprecated parts (stable_sort) for ours; g++ reports ours.
  target_compile_options(marigram_options INTERFACE -Wno-deprecated-declarations)
endif()
