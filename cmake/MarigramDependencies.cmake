# Everything we build on. From the system: fmt, nlohmann_json, date, CLI11, RE2, zlib and the test libraries
# (deps/packages.txt). From deps/fetch: CRoaring, simdjson, BLAKE3, and Arrow with Parquet unless the system has them.
# Defines marigram_arrow, marigram_roaring, marigram_simdjson and marigram_blake3.

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(date REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET GLOBAL re2)  # no CMake package in Debian's
if(MARIGRAM_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
endif()
if(MARIGRAM_BENCHES)
  find_package(benchmark REQUIRED)
endif()

# Sets <out> to the folder deps/fetch made for a package pinned in deps/requirements.txt; stops when it is absent.
function(marigram_fetched out name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/deps/requirements.txt")
  file(STRINGS "${PROJECT_SOURCE_DIR}/deps/requirements.txt" pin REGEX "^${name}==")
  string(REGEX REPLACE "^${name}==([^ ]+) .*" "\\1" version "${pin}")
  set(folder "${PROJECT_SOURCE_DIR}/deps/.cache/${name}-${version}")
  if(NOT EXISTS "${folder}/.stamp")
    message(FATAL_ERROR "cannot configure: ${name} ${version} is not fetched; run deps/fetch (or make deps) first")
  endif()
  set(${out} "${folder}" PARENT_SCOPE)
endfunction()

# ---- Arrow and Parquet ----
set(MARIGRAM_ARROW_RUNTIME "")  # shared libraries to install beside ours; empty when the system has them
if(MARIGRAM_SYSTEM_ARROW)
  # Arrow's interface may change with each major version, so only the one we are tested with counts.
  find_package(Arrow 26 CONFIG QUIET)
  if(Arrow_FOUND)
    find_package(Parquet 26 CONFIG REQUIRED)
  endif()
endif()
if(NOT TARGET Arrow::arrow_shared)
  marigram_fetched(_arrow pyarrow)
  # A Python wheel carries headers and libraries but no CMake package, so the targets are written here.
  foreach(_component arrow parquet)
    file(GLOB _library "${_arrow}/lib/lib${_component}.so.*")
    list(LENGTH _library _count)
    if(NOT _count EQUAL 1)
      message(FATAL_ERROR "cannot configure: got ${_count} files like ${_arrow}/lib/lib${_component}.so.*, want 1")
    endif()
    get_filename_component(_soname "${_library}" NAME)
    if(_component STREQUAL "arrow")
      set(_target Arrow::arrow_shared)
    else()
      set(_target Parquet::parquet_shared)
    endif()
    add_library(${_target} SHARED IMPORTED GLOBAL)
    set_target_properties(${_target} PROPERTIES
      IMPORTED_LOCATION "${_library}"
      IMPORTED_SONAME "${_soname}"
      INTERFACE_INCLUDE_DIRECTORIES "${_arrow}/include")
    list(APPEND MARIGRAM_ARROW_RUNTIME "${_library}")
  endforeach()
  set_property(TARGET Parquet::parquet_shared PROPERTY INTERFACE_LINK_LIBRARIES Arrow::arrow_shared)
endif()
add_library(marigram_arrow INTERFACE)
target_link_libraries(marigram_arrow INTERFACE Parquet::parquet_shared Arrow::arrow_shared)

# ---- CRoaring, one C file ----
marigram_fetched(_roaring pyroaring)
add_library(marigram_roaring STATIC "${_roaring}/roaring.c")
target_include_directories(marigram_roaring SYSTEM PUBLIC "${_roaring}")
target_compile_options(marigram_roaring PRIVATE -w)

# ---- simdjson, one C++ file ----
# libparquet exports a simdjson of its own, of another version. The linker would take one for the other, in whichever
# order the libraries come, and either library would call code that does not fit its headers. So ours has another name.
marigram_fetched(_simdjson pysimdjson)
add_library(marigram_simdjson STATIC "${_simdjson}/simdjson.cpp")
target_include_directories(marigram_simdjson SYSTEM PUBLIC "${_simdjson}")
target_compile_definitions(marigram_simdjson PUBLIC simdjson=marigram_simdjson)
target_compile_options(marigram_simdjson PRIVATE -w)

# ---- BLAKE3, with assembly for x86-64 and intrinsics for 64-bit ARM ----
marigram_fetched(_blake3 blake3)
add_library(marigram_blake3 STATIC "${_blake3}/blake3.c" "${_blake3}/blake3_dispatch.c" "${_blake3}/blake3_portable.c")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  enable_language(ASM)
  foreach(_isa sse2 sse41 avx2 avx512)
    target_sources(marigram_blake3 PRIVATE "${_blake3}/blake3_${_isa}_x86-64_unix.S")
  endforeach()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  target_sources(marigram_blake3 PRIVATE "${_blake3}/blake3_neon.c")
endif()
target_include_directories(marigram_blake3 SYSTEM PUBLIC "${_blake3}")
target_compile_options(marigram_blake3 PRIVATE $<$<COMPILE_LANGUAGE:C>:-w>)
