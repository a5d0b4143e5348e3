#include "db/replay.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace marigram::db {
namespace {

std::unexpected<Error> undefined(wal::Lsn lsn, std::string_view what, std::uint64_t number) {
  return fail(ErrorCode::kCorruption,
              fmt::format("cannot replay the write-ahead log: the record at {} is about {} {}, which nothing before it "
                          "defines; run `marigram db verify --repair`",
                          lsn, what, number));
}

}  // namespace

TidyBehind::~TidyBehind() {
  if (running_.valid()) running_.wait();
}

void TidyBehind::run(const Work& work) {
  for (const auto& [table, shards] : work) table->tidy(shards);
}

void TidyBehind::tidy(table::LiveTable& table, head::ShardSet shards, std::size_t rows) {
  constexpr std::size_t kRowsAheadMax = std::size_t{1} << 18;
  if (shards != 0) waiting_[&table] |= shards;
  rows_ahead_ += rows;
  if (waiting_.empty()) return;
  const bool busy = running_.valid() && running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  if (busy && rows_ahead_ <= kRowsAheadMax) return;
  rows_ahead_ = 0;
  Work work = std::exchange(waiting_, {});
  if (busy) {
    run(work);
  } else {
    running_ = pool_.submit([all = std::move(work)] { run(all); });
  }
}

Status Replay::take(wal::Lsn lsn, std::span<const std::byte> payload) {
  MARIGRAM_ASSIGN(table::Record record, begin(lsn, payload));
  for (table::RecordSection& section : record.sections) MARIGRAM_TRY(take(lsn, section));
  return {};
}

Result<std::vector<Error>> Replay::take_what_is_whole(wal::Lsn lsn, std::span<const std::byte> payload) {
  auto record = begin(lsn, payload);
  if (!record && record.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(record).error());
  if (!record) return std::vector{std::move(record).error()};
  std::vector<Error> errors;
  for (table::RecordSection& section : record->sections) {
    Status taken = take(lsn, section);
    if (taken) continue;
    if (taken.error().code != ErrorCode::kCorruption) return std::unexpected(std::move(taken).error());
    errors.push_back(std::move(taken).error());
  }
  return errors;
}

Result<table::Record> Replay::begin(wal::Lsn lsn, std::span<const std::byte> payload) {
  MARIGRAM_TRY(make_room_(lsn));
  MARIGRAM_ASSIGN(table::Record record, table::decode_record(payload));
  ++report_.batches;
  if (record.sections.empty()) return record;
  if (record.epoch != epoch_) known_.clear();
  epoch_ = record.epoch;
  return record;
}

Status Replay::take(wal::Lsn lsn, table::RecordSection& section) {
  Known& known = known_[section.table];
  if (known.definition.name.empty() && !section.definition) return undefined(lsn, "table", section.table);
  MARIGRAM_TRY(define(known, section));
  return apply(known, lsn, section);
}

/// Columns are only added to a table, so the longer of two definitions says more.
Status Replay::define(Known& known, const table::RecordSection& section) {
  if (section.definition) {
    const table::TableDefinition& definition = *section.definition;
    if (known.definition.name.empty()) {
      known.definition = definition;
      MARIGRAM_ASSIGN(known.table, find_table(definition));
    }
    if (definition.tags.size() > known.definition.tags.size()) known.definition.tags = definition.tags;
    if (definition.fields.size() > known.definition.fields.size()) known.definition.fields = definition.fields;
  }
  if (known.table == nullptr) return {};
  MARIGRAM_ASSIGN(const auto schema, known.table->schema());
  for (std::size_t i = known.fields.size(); i < known.definition.fields.size(); ++i) {
    const auto number = schema->numbers.find(known.definition.fields[i]);
    known.fields.push_back(number == schema->numbers.end() ? std::nullopt : std::optional(number->second));
  }
  for (const table::SeriesDefinition& series : section.defined) {
    Tags tags;
    for (const table::NumberedTag& tag : series.tags) {
      if (tag.tag >= known.definition.tags.size()) return undefined(0, "tag", tag.tag);
      tags.push_back({.name = known.definition.tags[tag.tag], .value = std::string(tag.value)});
    }
    std::ranges::sort(tags);
    MARIGRAM_ASSIGN(known.series[series.id], known.table->series().resolve(tags));
  }
  return {};
}

/// Null if the table is no more.
Result<table::LiveTable*> Replay::find_table(const table::TableDefinition& definition) {
  auto table = catalogue_.find(definition.name_space, definition.name);
  if (!table && table.error().code == ErrorCode::kNotFound) return nullptr;
  if (table && (*table)->engine().state()->meta->created_at != definition.created_at) return nullptr;
  return table;
}

Status Replay::apply(Known& known, wal::Lsn lsn, table::RecordSection& section) {
  if (known.table == nullptr) {
    ++report_.orphans;
    return {};
  }
  if (known.table->contains({.log = log_, .lsn = lsn + 1})) return {};
  std::vector<head::SeriesId> series;
  series.reserve(section.series.size());
  for (const head::SeriesId id : section.series) {
    const auto found = known.series.find(id);
    if (found == known.series.end()) return undefined(lsn, "series", id);
    series.push_back(found->second);
  }
  MARIGRAM_ASSIGN(auto schema, known.table->schema());
  std::vector<table::RecordField> fields;
  for (table::RecordField& field : section.fields) {
    if (field.field >= known.fields.size()) return undefined(lsn, "field", field.field);
    const auto number = known.fields[field.field];
    if (!number || (*schema->fields)[*number].type != field.values.type) return undefined(lsn, "field", field.field);
    fields.push_back({.field = *number, .values = std::move(field.values)});
  }
  report_.points += series.size();
  auto rows =
      table::IncomingRows::make_numbered(std::move(schema), std::move(series), std::move(section.times), fields);
  tidy_.tidy(*known.table, known.table->restore(rows, lsn), rows.size());
  return {};
}

}  // namespace marigram::db
