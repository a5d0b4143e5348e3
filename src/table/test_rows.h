// Rows for tests: a plain struct, its Arrow form, and a naive model of a table.
#pragma once

#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "io/memory_store.h"
#include "table/append.h"
#include "table/batch_source.h"
#include "table/engine.h"
#include "table/scan.h"

#include <arrow/api.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::table::testing {

/// A row of the test table: time in microseconds, one string tag, one nullable float field.
struct Row {
  std::int64_t time_us = 0;
  std::string series;
  std::optional<double> value;

  friend bool operator==(const Row&, const Row&) = default;
  friend auto operator<=>(const Row&, const Row&) = default;
};

inline std::shared_ptr<arrow::Schema> row_schema() {
  return arrow::schema({arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO), false),
                        arrow::field("series", arrow::utf8(), false), arrow::field("value", arrow::float64())});
}

inline std::shared_ptr<arrow::RecordBatch> to_batch(const std::vector<Row>& rows) {
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  arrow::StringBuilder series;
  arrow::DoubleBuilder value;
  for (const Row& row : rows) {
    EXPECT_TRUE(time.Append(row.time_us).ok());
    EXPECT_TRUE(series.Append(row.series).ok());
    EXPECT_TRUE((row.value ? value.Append(*row.value) : value.AppendNull()).ok());
  }
  return arrow::RecordBatch::Make(row_schema(), static_cast<std::int64_t>(rows.size()),
                                  {*time.Finish(), *series.Finish(), *value.Finish()});
}

inline std::vector<Row> to_rows(const arrow::RecordBatch& batch) {
  std::vector<Row> rows;
  const auto& time = static_cast<const arrow::TimestampArray&>(*batch.GetColumnByName("ts"));
  const auto& series = static_cast<const arrow::StringArray&>(*batch.GetColumnByName("series"));
  const auto& value = static_cast<const arrow::DoubleArray&>(*batch.GetColumnByName("value"));
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    rows.push_back(
        {time.Value(i), series.GetString(i), value.IsNull(i) ? std::nullopt : std::optional(value.Value(i))});
  }
  return rows;
}

inline Result<AppendResult> append_rows(Engine& engine, const std::vector<Row>& rows) {
  const auto reader = *arrow::RecordBatchReader::Make({to_batch(rows)}, row_schema());
  return append(engine, *reader);
}

/// Batches that are there already.
class VectorSource : public BatchSource {
 public:
  explicit VectorSource(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) : batches_(std::move(batches)) {}
  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    return next_ < batches_.size() ? batches_[next_++] : nullptr;
  }

 private:
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::size_t next_ = 0;
};

inline Result<std::vector<Row>> scan_rows(const Engine& engine, StatePtr state, const ScanRequest& request,
                                          const NewerRows& newer) {
  auto stream = scan(engine, std::move(state), request, newer);
  if (!stream) return std::unexpected(stream.error());
  std::vector<Row> rows;
  while (true) {
    auto batch = stream->rows->next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) return rows;
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    EXPECT_LE((*batch)->num_rows(), static_cast<std::int64_t>(request.batch_rows));
    std::ranges::move(to_rows(**batch), std::back_inserter(rows));
  }
}
inline Result<std::vector<Row>> scan_rows(const Engine& engine, const ScanRequest& request = {}) {
  return scan_rows(engine, engine.state(), request, {});
}

/// What a table of that policy shows of rows in order of arrival.
inline std::vector<Row> visible_rows(const std::vector<Row>& rows, Duplicates policy) {
  if (policy != Duplicates::kLast) return rows;
  std::map<std::pair<std::string, std::int64_t>, Row> last;
  for (const Row& row : rows) last.insert_or_assign({row.series, row.time_us}, row);
  std::vector<Row> visible;
  for (auto& [key, row] : last) visible.push_back(std::move(row));
  return visible;
}

/// What a scan must return. Rows of equal series and time keep their order.
inline std::vector<Row> expected_rows(std::vector<Row> rows, const ScanRequest& request) {
  const auto outside = [&](const Row& row) {
    const IndexValue time = Instant::from_units(row.time_us, TimeUnit::kMicro);
    if ((request.from && time < *request.from) || (request.to && time >= *request.to)) return true;
    return std::ranges::any_of(request.where, [&](const TagPredicate& predicate) {
      return std::ranges::find(predicate.values, row.series) == predicate.values.end();
    });
  };
  std::erase_if(rows, outside);
  std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
    return request.order == ScanOrder::kTime ? std::pair(a.time_us, a.series) < std::pair(b.time_us, b.series)
                                             : std::pair(a.series, a.time_us) < std::pair(b.series, b.time_us);
  });
  if (rows.size() > request.limit) rows.resize(request.limit);
  return rows;
}

/// A table in memory on a clock of its own.
struct Fixture {
  ManualClock clock;
  ThreadPool pool{2};
  std::shared_ptr<io::ObjectStore> store = io::make_memory_store(clock);

  Environment environment() { return {.store = store, .clock = &clock, .pool = &pool}; }

  static TableOptions options() {
    TableOptions options;
    options.time_column = "ts";
    options.unit = TimeUnit::kMicro;
    options.tags = {{.name = "series", .type = "string"}};
    options.bucket = "1m";
    return options;
  }

  /// The same table, but one that grows.
  static TableOptions growing_options() {
    TableOptions growing = options();
    growing.growing = true;
    growing.fields = {{.name = "value", .type = "float64"}};
    return growing;
  }

  std::unique_ptr<Engine> create(const TableOptions& table = options()) {
    auto engine = Engine::create(environment(), table);
    EXPECT_TRUE(engine) << (engine ? "" : engine.error().message);
    return engine ? std::move(*engine) : nullptr;
  }
};

/// Rows before the first of which something else happens to the table.
class InterruptedRows : public arrow::RecordBatchReader {
 public:
  InterruptedRows(std::shared_ptr<arrow::RecordBatch> batch, std::function<void()> first)
      : schema_(batch->schema()), batch_(std::move(batch)), first_(std::move(first)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (const auto first = std::exchange(first_, nullptr)) first();
    *batch = std::exchange(batch_, nullptr);
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::function<void()> first_;
};

inline constexpr std::int64_t kMinuteUs = 60'000'000;

/// `count` rows of one series, one a minute from `first_minute` on.
inline std::vector<Row> minutes(const std::string& series, std::int64_t first_minute, std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back({(first_minute + i) * kMinuteUs, series, static_cast<double>(i)});
  }
  return rows;
}

}  // namespace marigram::table::testing
