// Small tables for the log's tests.
#pragma once

#include "base/hash.h"
#include "log/log.h"
#include "log/retention_codec.h"
#include "log/tombstone_codec.h"
#include "model/table_meta.h"

#include <cstdint>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace marigram::log {

inline model::TableMeta sample_meta(Dialect dialect = Dialect::kV7) {
  model::TableMeta meta{.dialect = dialect};
  meta.index = model::IndexSpec{.column = "ts", .tags = {"tag"}, .kind = model::TimestampIndex{}};
  meta.schema = model::Schema{.columns = {{.name = "ts", .type = {.id = model::TypeId::kTimestamp}, .nullable = false},
                                          {.name = "tag", .type = {.id = model::TypeId::kUtf8}, .nullable = false}}};
  meta.created_at = {.seconds = 1'700'000'000};
  return meta;
}

/// Segment number `n`; `who` keeps those of several writers apart.
inline model::SegmentMeta sample_segment(std::int64_t n, Dialect dialect = Dialect::kV7, const std::string& who = "a") {
  model::SegmentMeta segment;
  segment.path = fmt::format("data/{}/{:08}.parquet", who, n);
  if (dialect == Dialect::kV1) {
    segment.id = fmt::format("seg-{}-{:08}", who, n);
  } else {
    segment.layout = SeriesKey{who};
  }
  segment.min = Instant{.seconds = n * 3'600};
  segment.max = Instant{.seconds = n * 3'600 + 1'800, .nanos = 1'000'000};
  segment.row_count = 10;
  segment.file_size = 1'000 + static_cast<std::uint64_t>(n);
  segment.coverage_path = fmt::format("_coverage/segments/segcov-{}-{:08}.roar", who, n);
  return segment;
}

inline Proposal create_proposal(Dialect dialect = Dialect::kV7) {
  return {.actions = {UpdateTableMeta{sample_meta(dialect)}}, .extension = {.operation = "create", .partition = "1d"}};
}

inline Proposal append_proposal(std::int64_t n, Dialect dialect = Dialect::kV7, const std::string& who = "a") {
  return {.actions = {AddSegment{sample_segment(n, dialect, who)},
                      UpdateTableCoverage{model::TimestampIndex{}, fmt::format("_coverage/table/{}-{}.roar", who, n)}},
          .extension = {.operation = "append"}};
}

/// What a test compares of a state: everything, as text.
inline std::string describe(const TableState& state) {
  std::string text = fmt::format("{} {} {} {}|", state.version, format_rfc3339(state.timestamp),
                                 state.partition.value_or("-"), state.calendar.value_or("-"));
  for (const auto& [key, segment] : state.segments) {
    text += fmt::format("{}:{}:{}.{} ", key, segment->row_count, segment->rank.rank, segment->rank.place);
  }
  if (state.coverage) text += fmt::format("|{} {}", state.coverage->path, state.coverage->version);
  for (const auto& [name, type] : state.declared_types) text += fmt::format("|{} {}", name, type);
  text += fmt::format("|{}", static_cast<int>(state.duplicates));
  if (state.wal) text += fmt::format("|{} {}", state.wal->log, state.wal->lsn);
  for (const auto& [name, tombstone] : state.tombstones) {
    text += fmt::format("|{} {} {} {}", fmt::join(tombstone->paths(), " "), tombstone->rank,
                        tombstone->from ? format_index_value(*tombstone->from) : "-",
                        tombstone->to ? format_index_value(*tombstone->to) : "-");
    for (const TagPredicate& predicate : tombstone->where) {
      text += fmt::format(" {}={}", predicate.column, fmt::join(predicate.values, ","));
    }
    for (const auto& others : tombstone->except) text += " except " + predicates_out(others).dump();
  }
  if (!state.retention.empty()) text += "|" + retention_out(state.retention).dump();
  if (state.oldest > 1) text += fmt::format("|from {}", state.oldest);
  for (const Level& level : state.levels) {
    text +=
        fmt::format("|{} {} {} [{} {}]", level.name, level.through, level.pending.value_or("-"),
                    fmt::join(level.table->meta->schema->columns | std::views::transform(&model::Column::name), ","),
                    describe(*level.table));
  }
  for (const ChangedRows& change : state.changed) text += fmt::format("|{} {}", change.version, change.coverage_path);
  for (const auto& action : state.unknown_actions) text += "|" + action;
  return text;
}

}  // namespace marigram::log
