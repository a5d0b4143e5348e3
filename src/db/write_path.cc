#include "db/write_path.h"

#include "base/bucket_width.h"
#include "base/try.h"
#include "model/index.h"
#include "model/row_limits.h"
#include "table/bucket_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace marigram::db {
namespace {

std::unexpected<Error> refuse_size(std::uint64_t rows, std::uint64_t values) {
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot insert {} rows with {} values: want at most {} and {} in one batch; split it", rows,
                          values, table::kRecordRowsMax, table::kRecordValuesMax));
}

/// What a record can hold.
Status check_size(const model::WriteBatch& batch) {
  std::uint64_t rows = 0;
  std::uint64_t values = 0;
  for (const model::TableRows& table : batch.tables) {
    rows += table.times.size();
    values += table.times.size() * table.fields.size();
  }
  if (rows <= table::kRecordRowsMax && values <= table::kRecordValuesMax) return {};
  return refuse_size(rows, values);
}

Status check_tables(const model::WriteBatch& batch) {
  std::set<std::string_view> names;
  for (const model::TableRows& rows : batch.tables) {
    if (names.insert(rows.table).second) continue;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot insert a batch that has table {} twice; join its rows", rows.table));
  }
  return {};
}

table::LiveSchema schema_of(const TableOptions& new_tables) {
  return {.time_column = new_tables.time_column,
          .unit = new_tables.unit.value_or(TimeUnit::kNano),
          .fields = std::make_shared<const head::Fields>(),
          .grows = true};
}

}  // namespace

TableOptions options_of_new_tables(const DatabaseOptions& options) {
  TableOptions table;
  table.time_column = std::string(model::kTimeColumn);
  table.unit = TimeUnit::kNano;
  table.bucket = "1m";
  table.growing = true;
  table.duplicates = options.duplicates;
  table.segments = options.segments;
  table.compression = options.compression;
  return table;
}

Status MemoryGate::pass(const std::function<void()>& ask) {
  if (!memory_.is_exceeded()) return {};
  ask();
  std::unique_lock lock(mutex_);
  if (freed_.wait_for(lock, timeout_, [&] { return !memory_.is_exceeded(); })) return {};
  return fail(ErrorCode::kResourceExhausted,
              fmt::format("cannot insert: rows in memory take {} bytes, want at most {}, and none were flushed within "
                          "{} ms; try again later, write less, or open the database with more memory",
                          memory_.used(), memory_.bytes_max(), timeout_.count()));
}

WritePath::WritePath(Catalogue& catalogue, MemoryGate& gate, wal::Wal* log, const DatabaseOptions& options,
                     std::function<void()> wake)
    : catalogue_(catalogue),
      gate_(gate),
      log_(log),
      new_tables_(options_of_new_tables(options)),
      new_schema_(schema_of(new_tables_)),
      widen_(options.widen_integers),
      wake_(std::move(wake)),
      began_(log == nullptr ? 0 : log->position()) {}

Status WritePath::write(std::string_view name_space, const model::WriteBatch& batch, Durability durability) {
  MARIGRAM_TRY(check_size(batch));
  MARIGRAM_TRY(gate_.pass(wake_));  // before anything is made
  MARIGRAM_ASSIGN(std::vector<Part> parts, admit(name_space, batch));
  return write_parts(parts, durability);
}

Status WritePath::write_part(Part part, Durability durability) {
  if (part.rows.size() > table::kRecordRowsMax) return refuse_size(part.rows.size(), part.rows.size());
  MARIGRAM_TRY(gate_.pass(wake_));
  MARIGRAM_TRY(part.table->cover(part.rows));
  return write_parts({&part, 1}, durability);
}

Status WritePath::write_parts(std::span<Part> parts, Durability durability) {
  if (parts.empty()) return {};
  MARIGRAM_TRY(place(parts, log_ != nullptr && durability != Durability::kNone));
  for (const Part& part : parts) points_.fetch_add(part.rows.size(), std::memory_order_relaxed);
  if (log_ != nullptr && durability == Durability::kSync) return log_->sync();
  return {};
}

/// All is checked before anything is made, so that nothing is left of a batch that is refused. In the order of locks:
/// by number.
Result<std::vector<WritePath::Part>> WritePath::admit(std::string_view name_space, const model::WriteBatch& batch) {
  MARIGRAM_TRY(check_tables(batch));
  std::vector<Checked> checked;
  checked.reserve(batch.tables.size());
  for (const model::TableRows& rows : batch.tables) {
    if (rows.times.empty()) continue;
    MARIGRAM_ASSIGN(Checked one, check(name_space, rows));
    checked.push_back(std::move(one));
  }
  std::vector<Part> parts;
  parts.reserve(checked.size());
  for (Checked& one : checked) {
    MARIGRAM_ASSIGN(Part part, admit(name_space, std::move(one)));
    parts.push_back(std::move(part));
  }
  std::ranges::sort(parts, {}, [](const Part& part) { return part.table->number(); });
  return parts;
}

Result<WritePath::Checked> WritePath::check(std::string_view name_space, const model::TableRows& rows) {
  const auto found = catalogue_.find(name_space, rows.table);
  if (!found && found.error().code != ErrorCode::kNotFound) return std::unexpected(found.error());
  MARIGRAM_TRY(model::check_rows(rows, found ? std::string_view((*found)->time_column()) : model::kTimeColumn));
  if (!found) {
    MARIGRAM_TRY(check_new(name_space, rows));
    return Checked{.rows = rows};
  }
  MARIGRAM_ASSIGN(table::FittingRows fitting, (*found)->check(rows, widen_));
  return Checked{.rows = rows, .table = *found, .fitting = std::move(fitting)};
}

/// The first rows of a table.
Status WritePath::check_new(std::string_view name_space, const model::TableRows& rows) {
  const table::TableName name{.name_space = std::string(name_space), .name = rows.table};
  MARIGRAM_TRY(catalogue_.check_room(name_space, rows.series.size()));
  MARIGRAM_TRY(table::check_fit(new_schema_, rows, widen_, name.text()));
  MARIGRAM_TRY(table::convert_times(new_schema_, rows, name.text()));
  if (new_tables_.duplicates != Duplicates::kReject) return {};
  MARIGRAM_ASSIGN(const BucketWidth bucket, parse_bucket_width(new_tables_.bucket));
  const table::BucketGuard guard(model::TimestampIndex{.bucket = bucket});
  const auto naming = [&](std::uint32_t series) { return table::format_tags(rows.series[series]); };
  MARIGRAM_TRY(guard.cover(rows.times, rows.unit, rows.row_series, naming, name.text()));
  return {};
}

Result<WritePath::Part> WritePath::admit(std::string_view name_space, Checked checked) {
  if (!checked.fitting) {
    MARIGRAM_ASSIGN(checked.table, catalogue_.find_or_create(name_space, checked.rows.table, new_tables_));
    MARIGRAM_ASSIGN(checked.fitting, checked.table->check(checked.rows, widen_));
  }
  MARIGRAM_ASSIGN(table::IncomingRows incoming, checked.table->admit(std::move(*checked.fitting), widen_));
  return Part{.table = checked.table, .rows = std::move(incoming)};
}

Status WritePath::place(std::span<Part> parts, bool logged) {
  std::optional<table::RecordWriter> record;
  if (logged) {
    record.emplace(parts.size());
    for (const Part& part : parts) record->add(part.rows.section(part.table->number()));
  }
  for (Part& part : parts) part.lock.emplace(part.table->lock(part.rows.route().shards()));
  for (const Part& part : parts) MARIGRAM_TRY(part.table->check_arrival(part.rows));
  std::optional<wal::Placed> placed;
  if (record) {
    MARIGRAM_ASSIGN(placed, append_to_log(parts, *record));
  }
  for (Part& part : parts) part.untidy = part.table->arrive(*part.lock, part.rows, placed);
  for (Part& part : parts) part.lock.reset();
  for (const Part& part : parts) part.table->tidy(part.untidy);
  return {};
}

Result<wal::Placed> WritePath::append_to_log(std::span<const Part> parts, table::RecordWriter& record) {
  wal::Lsn file = file_.load(std::memory_order_relaxed);
  for (;;) {
    std::vector<table::RecordSection> definitions;
    for (const Part& part : parts) {
      table::RecordSection section = part.table->definitions(file, part.rows);
      if (section.definition || !section.defined.empty()) definitions.push_back(std::move(section));
    }
    MARIGRAM_ASSIGN(const wal::Placed placed,
                    log_->append_in_file(file, record.finish(std::max(file, began_), definitions)));
    if (placed.lsn) return placed;
    file = placed.file;
    file_.store(file, std::memory_order_relaxed);
  }
}

}  // namespace marigram::db
