// Tables are dropped, had back and renamed: their folders get other names.
#include "base/try.h"
#include "db/catalogue.h"
#include "db/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

namespace marigram::db {
namespace {

constexpr char kMark = '~';  // in no table's folder: names have it encoded

/// What the name of a dropped table's folder says.
struct DroppedFolder {
  std::string table_folder = {};
  std::int64_t seconds = 0;
  bool going = false;  // it is being deleted
};

std::string format(const DroppedFolder& folder) {
  return fmt::format("{}{}{}{}", folder.table_folder, kMark, folder.seconds, folder.going ? "~" : "");
}

std::optional<DroppedFolder> parse(std::string_view name) {
  const std::size_t at = name.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  DroppedFolder folder{.table_folder = std::string(name.substr(0, at)), .going = name.ends_with(kMark)};
  const std::string_view digits = name.substr(at + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), folder.seconds);
  if (format(folder) != name) return std::nullopt;
  return folder;
}

std::string folder_of(std::string_view path) {
  return std::string(path.substr(0, path.find_last_of('/')));
}

std::unexpected<Error> no_table(std::string_view name_space, std::string_view name, const Storage& storage) {
  return fail(ErrorCode::kNotFound, fmt::format("there is no table {}.{} in {}", name_space, name, storage.name()));
}

}  // namespace

/// Nobody opens or makes a table meanwhile.
Status Catalogue::move(std::string_view name_space, std::string_view name, const std::string& to,
                       table::FlushLog& log) {
  MARIGRAM_ASSIGN(table::LiveTable* const table, find(name_space, name));
  MARIGRAM_ASSIGN(const std::string from, folder(name_space, name));
  const std::lock_guard opening(opening_);
  if (find_open(name_space, name) != table) return no_table(name_space, name, *storage_);
  MARIGRAM_TRY(table->move_away(log, [&] { return storage_->move_folder(from, to); }));
  forget(name_space, name);
  return {};
}

void Catalogue::forget(std::string_view name_space, std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto open = tables_.extract(fmt::format("{}{}{}", name_space, '\0', name));
  if (!open.empty()) moved_.push_back(std::move(open.mapped()));
}

Status Catalogue::drop(std::string_view name_space, std::string_view name, table::FlushLog& log) {
  MARIGRAM_ASSIGN(const std::string path, folder(name_space, name));
  for (DroppedFolder to{.table_folder = path, .seconds = clock_.now().seconds};; ++to.seconds) {
    Status moved = move(name_space, name, format(to), log);
    if (moved || moved.error().code != ErrorCode::kAlreadyExists) return moved;
  }
}

Status Catalogue::rename(std::string_view name_space, std::string_view from, std::string_view to,
                         table::FlushLog& log) {
  MARIGRAM_ASSIGN(const std::string path, folder(name_space, to));
  Status moved = move(name_space, from, path, log);
  if (moved || moved.error().code != ErrorCode::kAlreadyExists) return moved;
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("cannot rename {0}.{1} to {0}.{2}: there is a table of that name, or its folder; drop it, or "
                          "choose another name",
                          name_space, from, to));
}

Status Catalogue::adopt(std::string_view name_space, std::string_view name, const Step& fill, const Step& settle) {
  MARIGRAM_ASSIGN(const std::string path, folder(name_space, name));
  const auto refuse = [&] {
    return fail(ErrorCode::kAlreadyExists, fmt::format("cannot make {}.{}: there is a table of that name; drop it, or "
                                                       "choose another name",
                                                       name_space, name));
  };
  const std::lock_guard adopting(adopting_);
  MARIGRAM_ASSIGN(const bool there, exists(path));
  if (there) return refuse();
  // As if it were being deleted, so that the next sweep takes up what is not finished.
  const std::string made = format({.table_folder = path, .seconds = clock_.now().seconds, .going = true});
  MARIGRAM_TRY(storage_->remove_folder(made));
  const auto run = [&]() -> Status {
    MARIGRAM_TRY(fill(made));
    const std::lock_guard opening(opening_);
    MARIGRAM_TRY(settle(made));
    MARIGRAM_ASSIGN(const auto objects, storage_->store(path)->list(""));
    if (objects.empty()) MARIGRAM_TRY(storage_->remove_folder(path));  // of a table that was never made
    return storage_->move_folder(made, path);
  };
  const Status done = run();
  if (done) return {};
  [[maybe_unused]] const Status removed = storage_->remove_folder(made);
  return done.error().code == ErrorCode::kAlreadyExists ? refuse() : done;
}

Result<std::vector<DroppedTable>> Catalogue::dropped() const {
  std::vector<DroppedTable> all;
  MARIGRAM_ASSIGN(const auto name_spaces, this->name_spaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const std::string path, folder(name_space, "x"));
    MARIGRAM_ASSIGN(const auto folders, storage_->folders(folder_of(path)));
    for (const std::string& name : folders) {
      const auto gone = parse(name);
      const auto table = gone && !gone->going ? name_of_folder(gone->table_folder) : std::nullopt;
      if (table) all.push_back({.name_space = name_space, .table = *table, .dropped = {.seconds = gone->seconds}});
    }
  }
  std::ranges::sort(all, {}, [](const DroppedTable& t) { return std::tie(t.name_space, t.table, t.dropped.seconds); });
  return all;
}

Status Catalogue::undrop(std::string_view name_space, std::string_view name) {
  MARIGRAM_ASSIGN(const auto all, dropped());
  const auto is_asked_for = [&](const DroppedTable& t) { return t.name_space == name_space && t.table == name; };
  const auto last = std::find_if(all.rbegin(), all.rend(), is_asked_for);
  if (last == all.rend()) {
    return fail(ErrorCode::kNotFound,
                fmt::format("cannot have {}.{} back: no table of that name was dropped, or it is swept away",
                            name_space, name));
  }
  MARIGRAM_ASSIGN(const std::string path, folder(name_space, name));
  const std::lock_guard opening(opening_);
  const DroppedFolder from{.table_folder = path, .seconds = last->dropped.seconds};
  Status moved = storage_->move_folder(format(from), path);
  if (moved || moved.error().code != ErrorCode::kAlreadyExists) return moved;
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("cannot have {0}.{1} back: there is a table of that name again; rename that one first",
                          name_space, name));
}

Result<VacuumReport> Catalogue::sweep_dropped(Instant cutoff, bool dry_run) {
  const std::lock_guard adopting(adopting_);
  VacuumReport report;
  MARIGRAM_ASSIGN(const auto name_spaces, this->name_spaces());
  for (const std::string& name_space : name_spaces) {
    MARIGRAM_ASSIGN(const std::string inner, folder(name_space, "x"));
    const std::string outer = folder_of(inner);
    MARIGRAM_ASSIGN(const auto folders, storage_->folders(outer));
    for (const std::string& name : folders) {
      auto gone = parse(name);
      if (!gone || (!gone->going && gone->seconds > cutoff.seconds)) continue;
      std::string path = fmt::format("{}/{}", outer, name);
      MARIGRAM_ASSIGN(const auto objects, storage_->store(path)->list(""));
      for (const io::ObjectInfo& object : objects) {
        ++report.files;
        report.bytes += object.size;
        report.paths.push_back(fmt::format("{}/{}/{}", name_space, name, object.key));
      }
      if (dry_run) continue;
      if (!std::exchange(gone->going, true)) {
        const std::string to = fmt::format("{}/{}", outer, format(*gone));
        MARIGRAM_TRY(storage_->move_folder(path, to));
        path = to;
      }
      MARIGRAM_TRY(storage_->remove_folder(path));
    }
  }
  return report;
}

}  // namespace marigram::db
