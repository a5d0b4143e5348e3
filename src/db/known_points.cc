#include "db/known_points.h"

#include "base/try.h"
#include "db/points.h"
#include "head/text_hash.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::db {
namespace {

using model::FieldType;
using TagsView = std::span<const Tag>;
using Known = Result<std::optional<table::IncomingRows>>;

bool are_same(TagsView a, TagsView b) {
  return std::ranges::equal(a, b, [](const Tag& x, const Tag& y) {
    return head::same_text(x.value, y.value) && head::same_text(x.name, y.name);
  });
}

/// As the dictionary has them. A name that is there twice stays so: no series has such tags.
Tags put_in_order(TagsView tags) {
  Tags ordered(tags.begin(), tags.end());
  std::ranges::sort(ordered);
  if (std::ranges::adjacent_find(ordered, {}, &Tag::name) == ordered.end()) {
    std::erase_if(ordered, [](const Tag& tag) { return tag.value.empty(); });
  }
  return ordered;
}

/// Whether a series of the table can have these: of one that does not grow, each has all tags.
bool has_tags(const table::LiveSchema& schema, TagsView tags) {
  const auto has_value = [](const Tag& tag) { return !tag.value.empty(); };
  return schema.grows || (tags.size() == schema.tags.size() && std::ranges::all_of(tags, has_value));
}

/// Tags in another order than the dictionary has them are found by neither.
std::optional<head::SeriesId> find_series(const table::LiveTable& table, const table::LiveSchema& schema,
                                          TagsView tags) {
  return has_tags(schema, tags) ? table.series().find(tags) : std::nullopt;
}

/// False if there is one that the table lacks or does not take.
bool find_all(const table::LiveTable& table, const table::LiveSchema& schema, std::span<const TagsView> tags,
              std::span<head::SeriesId> found) {
  return std::ranges::all_of(tags, [&](TagsView one) { return has_tags(schema, one); }) &&
         table.series().find(tags, found);
}

/// The series of rows: each stretch of rows with the same tags is looked up once.
class SeriesOfRows {
 public:
  explicit SeriesOfRows(std::size_t rows) {
    views_.reserve(rows);
    ends_.reserve(rows);
  }

  void add(TagsView tags) {
    if (views_.empty() || !are_same(tags, views_.back())) {
      views_.push_back(tags);
      ends_.push_back(ends_.empty() ? 0 : ends_.back());
    }
    ++ends_.back();
  }

  /// One number a row; unset if there is a series that the table lacks or does not take.
  std::optional<std::vector<head::SeriesId>> find(const table::LiveTable& table,
                                                  const table::LiveSchema& schema) const {
    std::vector<head::SeriesId> found(views_.size());
    if (!find_all(table, schema, views_, found) && !find_ordered(table, schema, found)) return std::nullopt;
    if (views_.size() == ends_.back()) return found;
    std::vector<head::SeriesId> rows;
    rows.reserve(ends_.back());
    for (std::size_t i = 0; i < found.size(); ++i) rows.resize(ends_[i], found[i]);
    return rows;
  }

 private:
  bool find_ordered(const table::LiveTable& table, const table::LiveSchema& schema,
                    std::span<head::SeriesId> found) const {
    std::vector<Tags> ordered(views_.size());
    std::ranges::transform(views_, ordered.begin(), put_in_order);
    const std::vector<TagsView> views(ordered.begin(), ordered.end());
    return find_all(table, schema, views, found);
  }

  std::vector<TagsView> views_;
  std::vector<std::size_t> ends_;  // for each view, the row behind its last
};

/// The table's column of that name as it takes points: unset if there is none, or its values or times are not these.
struct Target {
  std::shared_ptr<const table::LiveSchema> schema;
  std::uint32_t field = 0;

  FieldType type() const { return (*schema->fields)[field].type; }
};

Result<std::optional<Target>> find_target(table::LiveTable& table) {
  MARIGRAM_ASSIGN(auto schema, table.schema());
  const auto number = schema->numbers.find(kValueField);
  if (number == schema->numbers.end() || schema->unit != TimeUnit::kNano) return std::nullopt;
  return Target{.schema = std::move(schema), .field = number->second};
}

template <typename T>
std::optional<std::uint64_t> cell_if(const Value& value) {
  const T* const there = std::get_if<T>(&value);
  if (there == nullptr) return std::nullopt;
  if constexpr (sizeof(T) == sizeof(std::uint64_t)) {
    return std::bit_cast<std::uint64_t>(*there);
  } else {
    return static_cast<std::uint64_t>(*there);
  }
}

/// The bits of a value of that type; unset for another and for texts.
std::optional<std::uint64_t> cell_of(const Value& value, FieldType type) {
  switch (type) {
    case FieldType::kFloat64:
      return cell_if<double>(value);
    case FieldType::kInt64:
      return cell_if<std::int64_t>(value);
    case FieldType::kUInt64:
      return cell_if<std::uint64_t>(value);
    case FieldType::kBool:
      return cell_if<bool>(value);
    case FieldType::kString:
      return std::nullopt;
  }
  return std::nullopt;
}

/// Rows so far, without their series.
struct Columns {
  std::vector<std::int64_t> times = {};
  std::vector<std::uint64_t> cells = {};
};

Known rows_of(Target target, std::vector<head::SeriesId> series, Columns columns) {
  table::RecordField field{.field = target.field, .values = {.type = target.type(), .cells = std::move(columns.cells)}};
  return table::IncomingRows::make_numbered(std::move(target.schema), std::move(series), std::move(columns.times),
                                            {&field, 1});
}

}  // namespace

Known known_points(table::LiveTable& table, std::span<const Point> points) {
  MARIGRAM_ASSIGN(auto target, find_target(table));
  if (!target || points.empty()) return std::nullopt;
  const FieldType type = target->type();
  Columns columns;
  columns.times.reserve(points.size());
  columns.cells.reserve(points.size());
  SeriesOfRows series(points.size());
  for (const Point& point : points) {
    const auto cell = cell_of(point.value, type);
    if (!cell) return std::nullopt;
    columns.times.push_back(point.time_ns);
    columns.cells.push_back(*cell);
    series.add(point.tags);
  }
  auto found = series.find(table, *target->schema);
  if (!found) return std::nullopt;
  return rows_of(std::move(*target), std::move(*found), std::move(columns));
}

Known known_points(table::LiveTable& table, const SeriesPoints& points) {
  MARIGRAM_ASSIGN(auto target, find_target(table));
  const std::size_t rows = points.times_ns.size();
  if (!target || target->type() != FieldType::kFloat64 || rows == 0 || rows != points.values.size()) {
    return std::nullopt;
  }
  auto series = find_series(table, *target->schema, points.tags);
  if (!series) series = find_series(table, *target->schema, put_in_order(points.tags));
  if (!series) return std::nullopt;
  Columns columns{.times = {points.times_ns.begin(), points.times_ns.end()}};
  columns.cells.reserve(rows);
  for (const double value : points.values) columns.cells.push_back(std::bit_cast<std::uint64_t>(value));
  return rows_of(std::move(*target), std::vector<head::SeriesId>(rows, *series), std::move(columns));
}

}  // namespace marigram::db
