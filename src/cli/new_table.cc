#include "cli/new_table.h"

#include "base/try.h"
#include "io/local_store.h"
#include "io/object_store.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace marigram::cli {

namespace {

constexpr const char* kLogFolder = "_timeseries_log";

// CURRENT goes first: from then on there is no table. Failures leave an empty table behind, which the next import uses.
Status take_away(const std::string& path, bool folder_existed) {
  MARIGRAM_ASSIGN(const Table now, Table::open(path));
  if (now.info().version != 1) return {};
  MARIGRAM_ASSIGN(auto store, io::make_local_store(path));
  MARIGRAM_TRY(store->remove(std::string(kLogFolder) + "/CURRENT"));
  MARIGRAM_ASSIGN(const auto left, store->list(kLogFolder));
  for (const io::ObjectInfo& object : left) MARIGRAM_TRY(store->remove(object.key));
  std::error_code ignored;  // folders that are not empty stay
  const std::filesystem::path folder(path);
  for (const char* part : {kLogFolder, "data/_managed/append", "data/_managed", "data", "_coverage/segments",
                           "_coverage/table", "_coverage"}) {
    std::filesystem::remove(folder / part, ignored);
  }
  if (!folder_existed) std::filesystem::remove(folder, ignored);
  return {};
}

}  // namespace

NewTable::NewTable(std::string path, bool folder_existed, Table table)
    : path_(std::move(path)), folder_existed_(folder_existed), table_(std::move(table)) {}

NewTable::NewTable(NewTable&& other) noexcept
    : path_(std::exchange(other.path_, {})), folder_existed_(other.folder_existed_), table_(std::move(other.table_)) {}

Result<NewTable> NewTable::create(const std::string& path, const TableOptions& options) {
  std::error_code ignored;
  const bool existed = std::filesystem::exists(path, ignored);
  MARIGRAM_ASSIGN(Table table, Table::create(path, options));
  return NewTable(path, existed, std::move(table));
}

NewTable::~NewTable() {
  if (!path_.empty()) (void)take_away(path_, folder_existed_);
}

}  // namespace marigram::cli
