// The stores that the one contract is tested on.
#pragma once

#include "base/clock.h"
#include "io/fault_store.h"
#include "io/file_store.h"
#include "io/local_store.h"
#include "io/memory_store.h"
#include "io/object_store.h"
#include "io/simulated_file_system.h"
#include "io/temporary_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace marigram::io {

/// Makes an empty store with what it needs to live. `make` may be called once.
struct StoreUnderTest {
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<TemporaryFolder> folder;  // of a local store; it goes with the last copy
};

struct StoreMaker {
  std::string name;
  std::function<StoreUnderTest(const Clock&)> make;

  friend void PrintTo(const StoreMaker& maker, std::ostream* out) { *out << maker.name; }
};

inline StoreUnderTest make_local_store_for_test() {
  auto folder = std::make_shared<TemporaryFolder>();
  return {make_local_store(folder->path() / "new" / "root").value(), folder};
}

inline StoreUnderTest make_linking_store_for_test(const Clock& clock) {
  auto files = SimulatedFileSystem::make(clock);
  files->support_rename_new(false);
  return {make_file_store(std::move(files), "/volume/store"), nullptr};
}

/// Every implementation, and the file store where renames cannot refuse to replace.
inline auto all_stores() {
  return ::testing::Values(
      StoreMaker{"Local", [](const Clock&) { return make_local_store_for_test(); }},
      StoreMaker{"Memory", [](const Clock& clock) { return StoreUnderTest{make_memory_store(clock), nullptr}; }},
      StoreMaker{"Fault", [](const Clock& clock) { return StoreUnderTest{make_fault_store(clock), nullptr}; }},
      StoreMaker{"FaultByLink", [](const Clock& clock) { return make_linking_store_for_test(clock); }});
}

inline std::string name_of_store(const ::testing::TestParamInfo<StoreMaker>& info) {
  return info.param.name;
}

}  // namespace marigram::io
