#include "db/points.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

struct ToFieldValue {
  using Result = std::optional<model::FieldValue>;
  Result operator()(std::monostate /*null*/) const { return model::FieldValue(); }
  Result operator()(Instant /*value*/) const { return std::nullopt; }
  template <typename T>
  Result operator()(const T& value) const {
    return model::FieldValue(value);
  }
};

Result<model::FieldValue> field_value(std::string_view table, std::string_view field, const Value& value) {
  auto converted = std::visit(ToFieldValue(), value);
  if (converted) return std::move(*converted);
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format("cannot insert into {}: field {} is a time; want a number, a bool or a string", table, field));
}

model::WriteBatch only(model::TableRows rows) {
  model::WriteBatch batch;
  batch.tables.push_back(std::move(rows));
  return batch;
}

}  // namespace

Result<model::WriteBatch> batch_of(std::string_view table, std::span<const Point> points, bool widen) {
  model::RowsBuilder builder(std::string(table), TimeUnit::kNano, widen);
  for (const Point& point : points) {
    MARIGRAM_ASSIGN(model::FieldValue value, field_value(table, kValueField, point.value));
    const model::Field field{.name = kValueField, .value = std::move(value)};
    MARIGRAM_TRY(builder.add(point.tags, point.time_ns, std::span(&field, 1)));
  }
  return only(builder.finish());
}

Result<model::WriteBatch> batch_of(std::string_view table, std::span<const Row> rows, bool widen) {
  model::RowsBuilder builder(std::string(table), TimeUnit::kNano, widen);
  std::vector<model::Field> fields;
  for (const Row& row : rows) {
    fields.clear();
    fields.reserve(row.fields.size());
    for (const auto& [name, value] : row.fields) {
      MARIGRAM_ASSIGN(model::FieldValue converted, field_value(table, name, value));
      fields.push_back({.name = name, .value = std::move(converted)});
    }
    MARIGRAM_TRY(builder.add(row.tags, row.time_ns, fields));
  }
  return only(builder.finish());
}

Result<model::WriteBatch> batch_of(std::string_view table, const SeriesPoints& points, bool /*widen*/) {
  if (points.times_ns.size() != points.values.size()) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot insert into {}: got {} times and {} values", table,
                                                      points.times_ns.size(), points.values.size()));
  }
  model::TableRows rows{.table = std::string(table), .unit = TimeUnit::kNano};
  Tags sorted = points.tags;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted, {}, &Tag::name);
  if (twice != sorted.end()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot insert into {}: tag {:?} is there twice", table, twice->name));
  }
  std::erase_if(sorted, [](const Tag& tag) { return tag.value.empty(); });
  rows.series.push_back(std::move(sorted));
  rows.row_series.resize(points.times_ns.size());
  rows.times.assign(points.times_ns.begin(), points.times_ns.end());
  rows.fields.push_back({.name = kValueField});
  std::vector<std::uint64_t>& cells = rows.fields.front().cells;
  cells.reserve(points.values.size());
  for (const double value : points.values) cells.push_back(std::bit_cast<std::uint64_t>(value));
  return only(std::move(rows));
}

}  // namespace marigram::db
