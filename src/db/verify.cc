#include "db/verify.h"

#include "base/try.h"
#include "db/catalogue.h"
#include "db/copy.h"
#include "db/flush_marks.h"
#include "db/log_start.h"
#include "db/names.h"
#include "db/owner.h"
#include "db/replay.h"
#include "head/memory_budget.h"
#include "io/storage_error.h"
#include "model/tiers.h"
#include "table/record.h"
#include "table/verify.h"
#include "wal/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>

namespace marigram::db {
namespace {

constexpr std::uint64_t kFlushBytes = std::uint64_t{128} << 20;

/// "20130131T060000Z".
std::string compact_time(Instant now) {
  std::string text = format_rfc3339({.seconds = now.seconds, .nanos = 0});
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string describe(const wal::LostStretch& lost) {
  const wal::Lsn first = wal::parse_file_name(lost.file).value_or(0);
  return fmt::format("wal/{}: {} bytes up to offset {} are no batch: {}", lost.file, lost.end - lost.begin,
                     lost.end - first, lost.cause);
}

class Verify {
 public:
  Verify(const Surroundings& surroundings, bool repair)
      : surroundings_(surroundings), storage_(*surroundings.storage), repair_(repair) {}

  Result<DatabaseFindings> run();

 private:
  Status check_tables();
  Result<VerifyReport> check_table(const table::Environment& environment) const;
  Status check_log();
  Status repair_log(const wal::SalvageReport& salvaged);
  Result<std::string> log_id(const wal::SalvageReport& salvaged) const;
  Status replay(const std::string& id);
  Status set_files_aside();

  const Surroundings& surroundings_;
  Storage& storage_;
  const bool repair_;
  std::vector<table::Environment> environments_;  // of the tables
  DatabaseFindings found_;
};

Result<DatabaseFindings> Verify::run() {
  MARIGRAM_TRY(check_description(storage_));
  if (storage_.files() == nullptr) return fail(ErrorCode::kInvalidInput, "cannot verify a database in memory");
  const auto owner = Owner::take(storage_, *surroundings_.clock);
  if (!owner && (repair_ || owner.error().code != ErrorCode::kConflict)) return std::unexpected(owner.error());
  MARIGRAM_TRY(check_tables());
  if (owner) {
    MARIGRAM_TRY(check_log());
  } else {
    found_.owner = owner.error().message;
  }
  return std::move(found_);
}

Status Verify::check_tables() {
  MARIGRAM_ASSIGN(const auto outer, storage_.folders("tables"));
  for (const std::string& name_space_folder : outer) {
    const auto name_space = name_of_folder(name_space_folder);
    MARIGRAM_ASSIGN(const auto inner, storage_.folders("tables/" + name_space_folder));
    for (const std::string& table_folder : inner) {
      const auto name = name_of_folder(table_folder);
      if (!name_space || !name) continue;
      const std::string folder = fmt::format("tables/{}/{}", name_space_folder, table_folder);
      auto store = storage_.split_store(folder, model::kColdFolder);
      table::Environment environment{
          .store = store, .clock = surroundings_.clock, .pool = surroundings_.pool, .cold = store};
      auto report = check_table(environment);
      if (!report && report.error().code == ErrorCode::kNotFound) continue;  // its first commit never came
      if (!report) return std::unexpected(std::move(report).error());
      found_.tables.push_back({.name_space = *name_space, .name = *name, .report = std::move(*report)});
      environments_.push_back(std::move(environment));
    }
  }
  return {};
}

/// After a repair that changed something, a second look says what is left.
Result<VerifyReport> Verify::check_table(const table::Environment& environment) const {
  MARIGRAM_ASSIGN(VerifyReport report, table::verify(environment, repair_));
  if (report.repaired.empty()) return report;
  MARIGRAM_ASSIGN(VerifyReport left, table::verify(environment, false));
  left.repaired = std::move(report.repaired);
  return left;
}

Status Verify::check_log() {
  LogFindings& log = found_.log.emplace();
  const auto look = [&](wal::Lsn lsn, std::span<const std::byte> payload) -> Status {
    if (const auto record = table::decode_record(payload); !record) {
      log.problems.push_back(fmt::format("the batch at {} of the log: {}", lsn, record.error().message));
    }
    return {};
  };
  MARIGRAM_ASSIGN(const wal::SalvageReport salvaged, wal::salvage(*storage_.files(), storage_.path(kLogFolder), look));
  const auto start = read_log_start(storage_);
  if (!start && start.error().code != ErrorCode::kCorruption) return std::unexpected(start.error());
  if (!start) {
    log.problems.push_back(start.error().message);
  } else if (salvaged.files > 0 && start->lsn < salvaged.begin) {
    log.problems.push_back(
        fmt::format("the log is to be read from {} on, but its oldest file begins at {}: what was "
                    "between is lost",
                    start->lsn, salvaged.begin));
  }
  log.files = salvaged.files;
  log.batches = salvaged.records;
  for (const wal::LostStretch& lost : salvaged.lost) {
    if (lost.followed) {
      log.problems.push_back(describe(lost));
    } else {
      log.torn_end = describe(lost);
    }
  }
  if (!repair_ || log.problems.empty()) return {};
  return repair_log(salvaged);
}

Status Verify::repair_log(const wal::SalvageReport& salvaged) {
  LogFindings& log = *found_.log;
  MARIGRAM_ASSIGN(const std::string id, log_id(salvaged));
  log.lost = std::exchange(log.problems, {});
  if (const auto torn = std::exchange(log.torn_end, std::nullopt)) log.lost.push_back(*torn);
  MARIGRAM_TRY(replay(id));
  MARIGRAM_TRY(set_files_aside());
  return forget_log_start(storage_);
}

/// What the tables' marks refer to. Where no file tells the log's id, its start does, or a table that was flushed.
Result<std::string> Verify::log_id(const wal::SalvageReport& salvaged) const {
  if (salvaged.id) return wal::format_id(*salvaged.id);
  if (const auto start = read_log_start(storage_); start && start->id) return wal::format_id(*start->id);
  std::optional<std::string> id;
  for (const table::Environment& environment : environments_) {
    MARIGRAM_ASSIGN(const auto engine, table::Engine::open(environment, {}));
    const auto& mark = engine->state()->wal;
    if (!mark) continue;
    if (id && *id != mark->log) {
      return fail(
          ErrorCode::kCorruption,
          "cannot repair the write-ahead log: no file tells its id, and tables were flushed from different logs, "
          "so it cannot be known which batches segments contain");
    }
    id = mark->log;
  }
  return id.value_or(std::string(32, '0'));
}

/// Makes segments of all whole batches that none contains.
Status Verify::replay(const std::string& id) {
  LogFindings& log = *found_.log;
  head::MemoryBudget memory;
  Catalogue catalogue(surroundings_.storage, *surroundings_.clock, *surroundings_.pool, memory,
                      std::numeric_limits<std::uint64_t>::max(), true);
  const auto flush = [&](wal::Lsn lsn) -> Status {
    ReplayMarks marks({.log = id, .lsn = lsn});
    for (table::LiveTable* table : catalogue.open_tables()) MARIGRAM_TRY(table->flush(marks));
    return {};
  };
  Replay replay(catalogue, *surroundings_.pool, id,
                [&](wal::Lsn lsn) { return memory.used() < kFlushBytes ? Status() : flush(lsn); });
  const auto take = [&](wal::Lsn lsn, std::span<const std::byte> payload) -> Status {
    MARIGRAM_ASSIGN(const std::vector<Error> errors, replay.take_what_is_whole(lsn, payload));
    for (const Error& error : errors) log.lost.push_back(error.message);
    return {};
  };
  MARIGRAM_ASSIGN(const wal::SalvageReport salvaged, wal::salvage(*storage_.files(), storage_.path(kLogFolder), take));
  MARIGRAM_TRY(flush(salvaged.end));
  log.saved_rows = replay.report().points;
  log.repaired.push_back(
      fmt::format("{} rows of the write-ahead log that were in no segment are in segments now", log.saved_rows));
  return {};
}

/// From the oldest on: what is left meanwhile ends where the whole log did, or is still found damaged.
Status Verify::set_files_aside() {
  const std::string path = storage_.path(kLogFolder).string();
  const std::string ending = ".damaged-" + compact_time(surroundings_.clock->now());
  const io::Attempt attempt{.doing = "set aside", .key = "", .store = path};
  MARIGRAM_ASSIGN(const auto tree, io::explain(storage_.files()->open_tree(path), attempt));
  MARIGRAM_ASSIGN(const auto folder, io::explain(tree->open_folder(""), attempt));
  MARIGRAM_ASSIGN(auto entries, io::explain(folder->entries(), attempt));
  std::ranges::sort(entries, {}, &io::FolderEntry::name);
  for (const io::FolderEntry& entry : entries) {
    if (!wal::parse_file_name(entry.name)) continue;
    MARIGRAM_TRY(io::explain(folder->rename(entry.name, entry.name + ending), attempt));
    MARIGRAM_TRY(io::explain(folder->sync(), attempt));
    found_.log->repaired.push_back(fmt::format("wal/{} is now wal/{}{}", entry.name, entry.name, ending));
  }
  return {};
}

}  // namespace

bool DatabaseFindings::is_sound() const {
  const auto is_table_sound = [](const TableFindings& table) { return table.report.problems.empty(); };
  return std::ranges::all_of(tables, is_table_sound) && (!log || log->problems.empty());
}

Result<DatabaseFindings> verify(const Surroundings& surroundings, bool repair) {
  return Verify(surroundings, repair).run();
}

}  // namespace marigram::db
