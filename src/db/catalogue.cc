#include "db/catalogue.h"

#include "base/try.h"
#include "db/names.h"
#include "log/log.h"
#include "model/row_limits.h"
#include "model/rows.h"
#include "model/tiers.h"

#include <fmt/format.h>

#include <algorithm>
#include <shared_mutex>
#include <utility>

namespace marigram::db {
namespace {

constexpr const char* kTables = "tables";

std::string key_of(std::string_view name_space, std::string_view name) {
  std::string key;
  key.reserve(name_space.size() + name.size() + 1);
  key.append(name_space).append(1, '\0').append(name);
  return key;
}

/// A table that inserts could not write to is not made.
Status check_names(std::string_view name, const TableOptions& options) {
  model::TableRows row{.table = std::string(name), .series = {{}}, .fields = {{.name = options.time_column}}};
  for (const ColumnInfo& tag : options.tags) row.series.front().push_back({.name = tag.name, .value = {}});
  for (const ColumnInfo& field : options.fields) row.fields.push_back({.name = field.name});
  return model::check_rows(row, {});
}

}  // namespace

Catalogue::Catalogue(std::shared_ptr<Storage> storage, const Clock& clock, ThreadPool& pool, head::MemoryBudget& memory,
                     std::uint64_t series_max, bool owner)
    : storage_(std::move(storage)),
      clock_(clock),
      pool_(pool),
      memory_(memory),
      series_max_(series_max),
      owner_(owner) {}

Result<std::string> Catalogue::folder(std::string_view name_space, std::string_view name) {
  MARIGRAM_ASSIGN(const std::string outer, folder_of_name(name_space, "namespace"));
  MARIGRAM_ASSIGN(const std::string inner, folder_of_name(name, "table"));
  return fmt::format("{}/{}/{}", kTables, outer, inner);
}

Result<table::Environment> Catalogue::environment(std::string_view name_space, std::string_view name) const {
  MARIGRAM_ASSIGN(const std::string path, folder(name_space, name));
  auto store = storage_->split_store(path, model::kColdFolder);
  return table::Environment{.store = store, .clock = &clock_, .pool = &pool_, .cold = store};
}

table::LiveTable* Catalogue::find_open(std::string_view name_space, std::string_view name) const {
  const std::string key = key_of(name_space, name);
  const std::shared_lock lock(mutex_);
  const auto found = tables_.find(key);
  return found == tables_.end() ? nullptr : found->second.get();
}

Result<table::LiveTable*> Catalogue::find(std::string_view name_space, std::string_view name) {
  if (table::LiveTable* open = find_open(name_space, name)) return open;
  const std::lock_guard opening(opening_);
  if (table::LiveTable* open = find_open(name_space, name)) return open;
  MARIGRAM_ASSIGN(table::Environment environment, this->environment(name_space, name));
  head::SeriesBudget* budget = nullptr;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    budget = &budget_of(name_space);
    number = tables_.size() + moved_.size();
  }
  table::TableName table_name{.name_space = std::string(name_space), .name = std::string(name)};
  auto table = table::LiveTable::open(table_name, number, std::move(environment),
                                      {.memory = &memory_, .series = budget, .owner = owner_});
  if (!table && table.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no table {} in {}", table_name.text(), storage_->name()));
  }
  if (!table) return std::unexpected(std::move(table).error());
  const std::lock_guard lock(mutex_);
  return tables_.emplace(key_of(name_space, name), std::move(*table)).first->second.get();
}

Result<table::LiveTable*> Catalogue::find_or_create(std::string_view name_space, std::string_view name,
                                                    const TableOptions& options) {
  auto found = find(name_space, name);
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  const Status created = create(name_space, name, options);
  if (!created && created.error().code != ErrorCode::kAlreadyExists) return std::unexpected(created.error());
  return find(name_space, name);
}

Status Catalogue::create(std::string_view name_space, std::string_view name, const TableOptions& options) {
  MARIGRAM_ASSIGN(table::Environment environment, this->environment(name_space, name));
  MARIGRAM_TRY(check_names(name, options));
  MARIGRAM_TRY(table::Engine::create(std::move(environment), options));
  return {};
}

Result<bool> Catalogue::exists(const std::string& folder) const {
  MARIGRAM_ASSIGN(const std::uint64_t version, log::Log(storage_->store(folder), clock_).latest_version());
  return version > 0;
}

Result<std::vector<std::string>> Catalogue::tables(std::string_view name_space) const {
  MARIGRAM_ASSIGN(const std::string outer, folder_of_name(name_space, "namespace"));
  const std::string path = fmt::format("{}/{}", kTables, outer);
  MARIGRAM_ASSIGN(const std::vector<std::string> folders, storage_->folders(path));
  std::vector<std::string> names;
  for (const std::string& folder : folders) {
    const auto name = name_of_folder(folder);
    if (!name) continue;
    MARIGRAM_ASSIGN(const bool there, exists(fmt::format("{}/{}", path, folder)));
    if (there) names.push_back(*name);
  }
  std::ranges::sort(names);
  return names;
}

Result<std::vector<std::string>> Catalogue::name_spaces() const {
  MARIGRAM_ASSIGN(const std::vector<std::string> folders, storage_->folders(kTables));
  std::vector<std::string> names;
  for (const std::string& folder : folders) {
    if (const auto name = name_of_folder(folder)) names.push_back(*name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<table::LiveTable*> Catalogue::open_tables() const {
  const std::shared_lock lock(mutex_);
  std::vector<table::LiveTable*> open;
  open.reserve(tables_.size());
  for (const auto& [key, table] : tables_) open.push_back(table.get());
  return open;
}

head::SeriesBudget& Catalogue::budget_of(std::string_view name_space) {
  return budgets_.try_emplace(std::string(name_space), std::string(name_space), series_max_).first->second;
}

Status Catalogue::check_room(std::string_view name_space, std::uint64_t series) {
  const std::lock_guard lock(mutex_);
  return budget_of(name_space).check(series);
}

std::pair<std::uint64_t, std::uint64_t> Catalogue::segment_traffic() const {
  const std::shared_lock lock(mutex_);
  std::pair<std::uint64_t, std::uint64_t> all;
  const auto add = [&](const table::LiveTable& table) {
    all.first += table.engine().traffic().written;
    all.second += table.engine().traffic().rewritten;
  };
  for (const auto& [key, table] : tables_) add(*table);
  for (const auto& table : moved_) add(*table);
  return all;
}

std::uint64_t Catalogue::series() const {
  const std::shared_lock lock(mutex_);
  std::uint64_t series = 0;
  for (const auto& [name, budget] : budgets_) series += budget.used();
  return series;
}

}  // namespace marigram::db
