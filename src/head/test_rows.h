// Rows for the tests of the head, and a naive model of what it must hold.
#pragma once

#include "head/block.h"
#include "head/rows.h"
#include "model/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace marigram::head::testing {

using Random = std::mt19937_64;

/// One row: the text of each field's value, none for null.
struct ModelRow {
  std::int64_t time = 0;
  std::vector<std::optional<std::string>> values;

  friend bool operator==(const ModelRow&, const ModelRow&) = default;
};

/// All rows of all series, in order of arrival.
using Model = std::map<SeriesId, std::vector<ModelRow>>;

inline Fields all_kinds() {
  using model::FieldType;
  return {{.name = "f", .type = FieldType::kFloat64},
          {.name = "i", .type = FieldType::kInt64},
          {.name = "s", .type = FieldType::kString},
          {.name = "b", .type = FieldType::kBool},
          {.name = "u", .type = FieldType::kUInt64}};
}

inline std::optional<std::string> text_of(const Column& column, std::size_t row) {
  if (column.valid[row] == 0) return std::nullopt;
  return column.is_text() ? std::string(column.strings[row]) : std::to_string(column.cells[row]);
}

inline std::vector<ModelRow> to_model(const Rows& rows) {
  std::vector<ModelRow> all;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ModelRow one{.time = rows.times[row], .values = {}};
    for (const Column& column : rows.columns) one.values.push_back(text_of(column, row));
    all.push_back(std::move(one));
  }
  return all;
}

/// A batch that owns its rows.
struct Batch {
  std::vector<SeriesId> series;
  std::vector<std::int64_t> times;
  std::vector<model::FieldColumn> fields;
  std::vector<const model::FieldColumn*> pointers = {};

  ArrivingRows rows() {
    pointers.clear();
    for (const auto& field : fields) pointers.push_back(&field);
    return {.series = series, .times = times, .fields = pointers};
  }
};

inline std::uint64_t random_cell(Random& random, model::FieldType type) {
  if (type == model::FieldType::kBool) return random() % 2;
  return random() % 3 == 0 ? random() : random() % 5;
}

/// Rows of series below `series`, in order of time but for some; and the same rows in the model.
inline Batch random_batch(Random& random, const Fields& fields, SeriesId series, std::size_t rows, std::int64_t& clock,
                          Model& model) {
  Batch batch;
  for (const FieldSpec& field : fields) batch.fields.push_back({.name = field.name, .type = field.type});
  for (std::size_t row = 0; row < rows; ++row) {
    clock += static_cast<std::int64_t>(random() % 3);
    const bool late = random() % 10 == 0;
    const SeriesId id = static_cast<SeriesId>(random() % series);
    ModelRow expected{.time = late ? clock - static_cast<std::int64_t>(random() % 500) : clock, .values = {}};
    batch.series.push_back(id);
    batch.times.push_back(expected.time);
    for (model::FieldColumn& field : batch.fields) {
      const bool null = random() % 8 == 0;
      const std::uint64_t cell = null ? 0 : random_cell(random, field.type);
      const bool text = field.type == model::FieldType::kString;
      field.valid.push_back(null ? 0 : 1);
      if (text) {
        field.strings.push_back(null ? "" : "v" + std::to_string(cell));
      } else {
        field.cells.push_back(cell);
      }
      expected.values.push_back(null ? std::nullopt : std::optional((text ? "v" : "") + std::to_string(cell)));
    }
    model[id].push_back(std::move(expected));
  }
  return batch;
}

/// What reading a series must give.
inline std::vector<ModelRow> expected_rows(const std::vector<ModelRow>& arrived, std::int64_t min, std::int64_t max,
                                           EqualTimes equal, const std::vector<std::uint32_t>& chosen) {
  auto sorted = arrived;
  std::ranges::stable_sort(sorted, {}, &ModelRow::time);
  std::vector<ModelRow> expected;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].time < min || sorted[i].time > max) continue;
    const bool replaced = i + 1 < sorted.size() && sorted[i + 1].time == sorted[i].time;
    if (equal == EqualTimes::kLast && replaced) continue;
    ModelRow row{.time = sorted[i].time, .values = {}};
    for (const std::uint32_t field : chosen) {
      row.values.push_back(field < sorted[i].values.size() ? sorted[i].values[field] : std::nullopt);
    }
    expected.push_back(std::move(row));
  }
  return expected;
}

}  // namespace marigram::head::testing
