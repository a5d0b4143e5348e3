// A table with a random history, and the rows that each of its versions has as a naive model knows them.
#pragma once

#include "query/rollup_refresh.h"
#include "query/test_aggregates.h"
#include "query/version_diff.h"
#include "table/delete.h"
#include "table/evolve.h"
#include "table/history.h"
#include "table/rewrite.h"
#include "table/rollups.h"
#include "table/test_rows.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::query::testing {

/// A row as text, so that what is not a number equals itself; a column that is absent or null has none.
struct TextRow {
  std::int64_t time_us = 0;
  std::map<std::string, std::string> cells = {};

  std::string cell(const std::string& column) const {
    const auto found = cells.find(column);
    return found == cells.end() ? "" : found->second;
  }
  auto key() const { return std::tuple(cell("series"), cell("zone"), time_us); }
  friend auto operator<=>(const TextRow&, const TextRow&) = default;
};

inline void PrintTo(const TextRow& row, std::ostream* out) {
  *out << row.time_us / table::testing::kMinuteUs << "min";
  for (const auto& [name, value] : row.cells) *out << ' ' << name << '=' << value;
}

/// A row of a diff; those removed come first.
struct Change {
  TextRow row;
  bool added = false;

  auto place() const { return std::tuple(row.key(), added); }
  friend auto operator<=>(const Change&, const Change&) = default;
};

inline void PrintTo(const Change& change, std::ostream* out) {
  *out << (change.added ? '+' : '-');
  PrintTo(change.row, out);
}

inline std::string text_of(const model::FieldValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "";
}

inline TextRow text_row(const arrow::RecordBatch& batch, std::int64_t row) {
  TextRow text;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const model::FieldValue value = cell(*batch.column(i), row);
    const std::string& name = batch.column_name(i);
    if (name == "ts") {
      text.time_us = std::get<std::int64_t>(value);
    } else if (name != "change" && !std::holds_alternative<std::monostate>(value)) {
      text.cells.emplace(name, text_of(value));
    }
  }
  return text;
}

class HistoryTable {
 public:
  HistoryTable(Duplicates policy, std::uint64_t seed) : policy_(policy), random_(seed) {
    TableOptions options = table::testing::Fixture::options();
    options.duplicates = policy;
    options.fields = {{.name = "value", .type = "float64"}};
    if (below(2) == 0) options.segments = SegmentFormat::kNative;
    options.growing = below(3) == 0;
    if (below(2) == 0) options.rollups = {.intervals = {"1h", "1d"}};
    engine_ = fixture_.create(options);
    note();
  }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  table::Engine& engine() { return *engine_; }
  std::uint64_t version() const { return engine_->state()->version; }
  const std::vector<TextRow>& rows() const { return rows_; }
  const std::vector<TextRow>& rows_at(std::uint64_t version) const { return versions_.at(version); }
  /// Whether it can be gone back to.
  bool is_there(std::uint64_t version) const { return !engine_->state()->has_given_up(version); }
  std::uint64_t random_version() { return 1 + below(version()); }

  void change() {
    switch (below(14)) {
      case 0:
        return compact();
      case 1:
        return remove();
      case 2:
        return add_column();
      case 3:
        return reopen();
      case 4:
        return vacuum();
      case 5:
        return restore(random_version());
      case 6:
        return name();
      case 7:
        if (below(4) == 0) return truncate();
        [[fallthrough]];
      case 8:
        ASSERT_TRUE(refresh_rollups(*engine_, {.commit_rows = 4096}));
        return note();
      default:
        return append();
    }
  }

  /// All versions since the last time have these rows.
  void note() {
    std::vector<TextRow> sorted = rows_;
    for (std::uint64_t version = versions_.size() + 1; version <= engine_->state()->version; ++version) {
      versions_.emplace(version, sorted);
    }
  }

  void restore(std::uint64_t version) {
    const bool was_there = is_there(version);
    const auto restored = table::restore_version(*engine_, version);
    if (!was_there) {
      ASSERT_FALSE(restored);
      ASSERT_EQ(restored.error().code, ErrorCode::kNotFound) << restored.error().message;
      return;
    }
    ASSERT_TRUE(restored) << restored.error().message;
    ASSERT_EQ(*restored, engine_->state()->version);
    rows_ = rows_at(version);
    note();
  }

  /// All that a scan gives, sorted.
  std::vector<TextRow> scan() const {
    std::vector<TextRow> found;
    auto stream = table::scan(*engine_, {});
    EXPECT_TRUE(stream) << stream.error().message;
    while (stream) {
      const auto batch = stream->rows->next();
      EXPECT_TRUE(batch) << batch.error().message;
      if (!batch || !*batch) break;
      for (std::int64_t row = 0; row < (*batch)->num_rows(); ++row) found.push_back(text_row(**batch, row));
    }
    std::ranges::sort(found);
    return found;
  }

  std::vector<TextRow> sorted_rows() const {
    std::vector<TextRow> sorted = rows_;
    std::ranges::sort(sorted);
    return sorted;
  }

  /// By series and day: count, sum, least and greatest value; of levels where there are some.
  std::vector<Cells> days(std::size_t levels = SIZE_MAX) const {
    AggregationSpec spec = spec_of({"count", "sum(value)", "min(value)", "max(value)"});
    spec.by = {"series"};
    spec.every = kDayUs;
    auto stream = aggregate_snapshot({*engine_, engine_->state()}, {}, spec, nullptr, {.levels = levels});
    EXPECT_TRUE(stream) << stream.error().message;
    return stream ? read_rows(*stream).value() : std::vector<Cells>();
  }
  std::vector<Cells> expected_days() const {
    std::map<std::pair<std::string, std::int64_t>, std::vector<double>> values;
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> counts;
    for (const TextRow& row : rows_) {
      const std::pair day(row.cell("series"), row.time_us / kDayUs * kDayUs);
      ++counts[day];
      if (!row.cell("value").empty()) values[day].push_back(std::stod(row.cell("value")));
    }
    std::vector<Cells> cells;
    for (const auto& [day, count] : counts) {
      const std::vector<double>& own = values[day];
      Cells& all = cells.emplace_back(Cells{day.first, day.second, count, {}, {}, {}});
      if (own.empty()) continue;
      double sum = 0;
      for (const double value : own) sum += value;
      all[3] = sum;
      all[4] = *std::ranges::min_element(own);
      all[5] = *std::ranges::max_element(own);
    }
    return cells;
  }

  std::vector<std::string> problems() {
    return table::verify(fixture_.environment(), false).value_or(VerifyReport{.problems = {"cannot verify"}}).problems;
  }

  table::Environment environment() { return fixture_.environment(); }

 private:
  static constexpr std::int64_t kDayUs = std::int64_t{1'440} * table::testing::kMinuteUs;
  static constexpr std::int64_t kDays = 12;

  std::string random_value() {
    constexpr const char* kValues[] = {"0", "-0", "1", "2", "3", "", "7"};
    return kValues[below(std::size(kValues))];
  }

  TextRow random_row(std::int64_t start) {
    TextRow row{.time_us = start + static_cast<std::int64_t>(below(200)) * table::testing::kMinuteUs};
    row.cells["series"] = std::string(1, "abc"[below(3)]);
    if (has_zone_ && below(2) == 0) row.cells["zone"] = std::string(1, "xy"[below(2)]);
    if (const std::string value = random_value(); !value.empty()) row.cells["value"] = value;
    for (std::uint64_t i = 0; i < extra_; ++i) {
      const std::string value = below(3) == 0 ? "nan" : random_value();
      if (!value.empty()) row.cells[fmt::format("extra{}", i)] = value;
    }
    return row;
  }

  void append() {
    const std::int64_t start = static_cast<std::int64_t>(below(kDays)) * kDayUs;
    std::set<std::tuple<std::string, std::string, std::int64_t>> taken;
    if (policy_ == Duplicates::kReject) {
      for (const TextRow& row : rows_) taken.insert(row.key());
    }
    std::vector<TextRow> fresh;
    for (std::uint64_t count = 1 + below(below(4) == 0 ? 300 : 20); count > 0; --count) {
      TextRow row = random_row(start);
      if (policy_ == Duplicates::kReject && !taken.insert(row.key()).second) continue;
      fresh.push_back(std::move(row));
      if (policy_ == Duplicates::kAll && below(4) == 0) fresh.push_back(fresh.back());
    }
    if (fresh.empty()) return;
    const auto batch = to_batch(fresh);
    const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
    const auto appended = table::append(*engine_, *reader);
    ASSERT_TRUE(appended) << appended.error().message;
    rows_.insert(rows_.end(), fresh.begin(), fresh.end());
    if (policy_ == Duplicates::kLast) {
      std::map<std::tuple<std::string, std::string, std::int64_t>, TextRow> last;
      for (TextRow& row : rows_) last.insert_or_assign(row.key(), row);
      rows_.clear();
      for (auto& [key, row] : last) rows_.push_back(std::move(row));
    }
    note();
  }

  std::shared_ptr<arrow::RecordBatch> to_batch(const std::vector<TextRow>& rows) const {
    std::vector<std::string> texts = {"series"};
    if (has_zone_) texts.emplace_back("zone");
    std::vector<std::string> numbers = {"value"};
    for (std::uint64_t i = 0; i < extra_; ++i) numbers.push_back(fmt::format("extra{}", i));
    arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
    for (const TextRow& row : rows) EXPECT_TRUE(time.Append(row.time_us).ok());
    arrow::FieldVector fields = {arrow::field("ts", time.type(), false)};
    arrow::ArrayVector columns = {*time.Finish()};
    for (const std::string& name : texts) {
      arrow::StringBuilder builder;
      for (const TextRow& row : rows) {
        const bool is_null = row.cell(name).empty();
        EXPECT_TRUE((is_null ? builder.AppendNull() : builder.Append(row.cell(name))).ok());
      }
      fields.push_back(arrow::field(name, arrow::utf8()));
      columns.push_back(*builder.Finish());
    }
    for (const std::string& name : numbers) {
      arrow::DoubleBuilder builder;
      for (const TextRow& row : rows) {
        const bool is_null = row.cell(name).empty();
        EXPECT_TRUE((is_null ? builder.AppendNull() : builder.Append(std::stod(row.cell(name)))).ok());
      }
      fields.push_back(arrow::field(name, arrow::float64()));
      columns.push_back(*builder.Finish());
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), static_cast<std::int64_t>(rows.size()), columns);
  }

  void compact() {
    if (below(3) == 0) {
      ASSERT_TRUE(table::set_segments(*engine_, below(2) == 0 ? SegmentFormat::kNative : SegmentFormat::kParquet, {}));
    }
    ASSERT_TRUE(table::compact(*engine_));
    note();
  }

  void remove() {
    const std::string series(1, "abc"[below(3)]);
    const std::int64_t from = static_cast<std::int64_t>(below(kDays)) * kDayUs +
                              static_cast<std::int64_t>(below(200)) * table::testing::kMinuteUs;
    const std::int64_t to = from + static_cast<std::int64_t>(1 + below(2'000)) * table::testing::kMinuteUs;
    ASSERT_TRUE(table::remove_rows(
        *engine_, {.from = at(from), .to = at(to), .where = {{.column = "series", .values = {series}}}}));
    std::erase_if(rows_, [&](const TextRow& row) {
      return row.cell("series") == series && row.time_us >= from && row.time_us < to;
    });
    note();
  }

  void add_column() {
    if (!has_zone_ && engine_->state()->meta->grows() && below(2) == 0) {
      ASSERT_TRUE(table::add_tags(*engine_, std::vector<std::string>{"zone"}));
      has_zone_ = true;
    } else if (extra_ < 3) {
      const std::vector<ColumnInfo> columns = {{.name = fmt::format("extra{}", extra_), .type = "float64"}};
      ASSERT_TRUE(table::add_columns(*engine_, columns));
      ++extra_;
    }
    note();
  }

  /// By a checkpoint, or by the log alone.
  void reopen() {
    if (below(2) == 0) {
      ASSERT_TRUE(engine_->log().write_checkpoint(*engine_->state()));
    }
    auto engine = table::Engine::open(fixture_.environment(), {});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *std::move(engine);
  }

  void vacuum() {
    History history;
    if (below(2) == 0) history.versions = 1 + below(12);
    fixture_.clock.advance(std::chrono::seconds(1));
    const auto report = table::vacuum(*engine_, 0, false, history);
    ASSERT_TRUE(report) << report.error().message;
    note();
  }

  void name() {
    const std::string name = fmt::format("name-{}", below(4));
    if (below(3) == 0) {
      const bool had = engine_->state()->version_names.contains(name);
      ASSERT_EQ(table::forget_version_name(*engine_, name).has_value(), had);
    } else {
      const std::uint64_t version = random_version();
      const bool was_there = is_there(version);
      ASSERT_EQ(table::name_version(*engine_, name, version).has_value(), was_there);
    }
    note();
  }

  void truncate() {
    const auto gone = table::truncate(*engine_);
    ASSERT_TRUE(gone) << gone.error().message;
    ASSERT_EQ(*gone, rows_.size());
    rows_.clear();
    note();
  }

  table::testing::Fixture fixture_;
  Duplicates policy_;
  std::mt19937_64 random_;
  std::unique_ptr<table::Engine> engine_;
  bool has_zone_ = false;
  std::uint64_t extra_ = 0;                                 // columns besides the first
  std::vector<TextRow> rows_;                               // as readers see them
  std::map<std::uint64_t, std::vector<TextRow>> versions_;  // of each version
};

}  // namespace marigram::query::testing
