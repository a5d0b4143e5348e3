// Segments and memory, read as one.
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "table/head_source.h"
#include "table/live_table.h"
#include "table/merge.h"

#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace marigram::table {
namespace {

/// What the conditions on one tag leave, as a list of values. The dictionary knows all there are.
TagPredicate predicate_of(const model::Matcher& matcher, const head::SeriesDictionary& series) {
  TagPredicate predicate{.column = matcher.tag(), .values = {}};
  if (const auto listed = matcher.listed(); listed && !matcher.negated()) {
    predicate.values.assign(listed->begin(), listed->end());
    return predicate;
  }
  if (matcher.matches("")) predicate.values.emplace_back();
  const auto number = series.find_tag(matcher.tag());
  if (!number) return predicate;
  for (const std::string_view value : series.values(*number, std::span(&matcher, 1))) {
    if (!value.empty()) predicate.values.emplace_back(value);
  }
  return predicate;
}

bool has_tag(const LiveSchema& schema, const std::string& name) {
  return std::ranges::find(schema.tags, name, &model::Column::name) != schema.tags.end();
}

/// In the table's unit, of a half-open range.
head::TimeSpan span_of(const ScanRequest& request, TimeUnit unit) {
  head::TimeSpan span;
  const auto* from = request.from ? std::get_if<Instant>(&*request.from) : nullptr;
  const auto* to = request.to ? std::get_if<Instant>(&*request.to) : nullptr;
  if (from != nullptr) {
    const auto min = to_units_ceil(*from, unit);
    if (min) span.min = *min;
    if (!min && from->seconds > 0) span = {.min = 0, .max = -1};
  }
  if (to != nullptr) {
    const auto end = to_units_ceil(*to, unit);
    if (end && *end > std::numeric_limits<std::int64_t>::min()) span.max = std::min(span.max, *end - 1);
    if (!end && to->seconds < 0) span = {.min = 0, .max = -1};
  }
  return span;
}

bool is_empty(const View& view) {
  return std::ranges::all_of(view.heads, [](const head::HeadView& head) { return !head::has_rows(head); });
}

KeyColumns key_columns(const std::vector<std::string>& names, const LiveSchema& schema) {
  const auto position = [&](const std::string& name) {
    return static_cast<int>(std::ranges::find(names, name) - names.begin());
  };
  KeyColumns keys{.index = position(schema.time_column), .tags = {}};
  for (const model::Column& tag : schema.tags) keys.tags.push_back(position(tag.name));
  return keys;
}

/// The rows in memory, by (series, time) or by time; `columns` are all of the table.
std::unique_ptr<BatchSource> ordered_head(HeadRead read, const arrow::Schema& columns,
                                          const std::vector<std::string>& names, ScanOrder order) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  fields.reserve(names.size());
  for (const std::string& name : names) fields.push_back(columns.GetFieldByName(name));
  const KeyColumns keys = key_columns(names, *read.schema);
  const std::size_t batch_rows = read.batch_rows;
  auto rows = head_source(std::move(read), arrow::schema(std::move(fields)));
  return order == ScanOrder::kTime ? sort_source(std::move(rows), keys, order, batch_rows) : std::move(rows);
}

}  // namespace

Result<std::optional<std::vector<TagPredicate>>> LiveTable::predicates(std::span<const model::Matcher> where) {
  MARIGRAM_ASSIGN(const auto columns, schema());
  std::vector<TagPredicate> predicates;
  for (const model::Matcher& matcher : where) {
    if (has_tag(*columns, matcher.tag())) {
      predicates.push_back(predicate_of(matcher, *series_));
    } else if (!matcher.matches("")) {
      return std::nullopt;
    }
  }
  return predicates;
}

Result<ReadableView> LiveTable::readable_view(std::optional<std::vector<head::SeriesId>> wanted) {
  head::ShardSet shards = head::kAllShards;
  if (wanted) {
    shards = 0;
    for (const head::SeriesId id : *wanted) shards |= head::ShardSet{1} << head::shard_of(id);
  }
  MARIGRAM_ASSIGN(View seen, view(shards));
  ReadableView readable{.state = seen.state};
  if (is_empty(seen)) return readable;
  HeadRead read{.views = std::move(seen.heads), .schema = seen.schema, .series = series_, .equal = equal_};
  read.wanted = std::move(wanted);
  MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*seen.state));
  MARIGRAM_ASSIGN(auto columns, segment::to_arrow(schema));
  readable.newer = [read = std::move(read), columns = std::move(columns)](const ScanRequest& request) -> NewerRows {
    HeadRead part = read;
    part.times = span_of(request, read.schema->unit);
    part.batch_rows = request.batch_rows;
    return [part = std::move(part), columns](const std::vector<std::string>& names, ScanOrder order) {
      return ordered_head(part, *columns, names, order);
    };
  };
  return readable;
}

Result<ChosenRows> LiveTable::choose(const ScanRequest& request, std::span<const model::Matcher> where) {
  std::optional<std::vector<head::SeriesId>> wanted;
  if (!where.empty()) wanted = series_->select(where).ids();
  ChosenRows chosen{.request = request};
  MARIGRAM_ASSIGN(chosen.view, readable_view(std::move(wanted)));
  MARIGRAM_ASSIGN(auto predicates, this->predicates(where));
  if (predicates) {
    chosen.request.where = std::move(*predicates);
  } else {
    chosen.request.limit = 0;
  }
  return chosen;
}

Result<ScanStream> LiveTable::scan(const ScanRequest& request, std::span<const model::Matcher> where) {
  MARIGRAM_ASSIGN(const ChosenRows rows, choose(request, where));
  const ReadableView& view = rows.view;
  return table::scan(*engine_, view.state, rows.request, view.newer ? view.newer(rows.request) : NewerRows());
}

}  // namespace marigram::table
