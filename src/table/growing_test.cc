// Tables whose tags come one after the other. Without these a series that lacks a tag could be taken for another one,
// rows written before a tag came could vanish from reads, or their coverage from the table.
#include "base/try.h"
#include "table/append.h"
#include "table/coverage_report.h"
#include "table/definition.h"
#include "table/delete.h"
#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/verify.h"

#include <fmt/format.h>

#include <map>
#include <random>
#include <set>
#include <utility>

namespace marigram::table::testing {
namespace {

using Names = std::vector<std::string>;

/// A row by its names; a tag that its series lacks is not in `tags`.
struct Point {
  std::map<std::string, std::string> tags;
  std::int64_t time_us = 0;
  std::optional<double> value;

  friend bool operator==(const Point&, const Point&) = default;
};

SeriesKey series_of(const Point& point, const Names& tags) {
  SeriesKey key;
  for (const std::string& tag : tags) {
    const auto found = point.tags.find(tag);
    key.emplace_back(found == point.tags.end() ? std::string() : found->second);
  }
  return key;
}

/// What is said of a tag that a row's series lacks.
enum class Absence { kNull, kEmpty };

std::shared_ptr<arrow::Array> tag_column(const std::vector<Point>& points, const std::string& tag, Absence absence) {
  arrow::StringBuilder builder;
  for (const Point& point : points) {
    const auto found = point.tags.find(tag);
    const bool null = found == point.tags.end() && absence == Absence::kNull;
    EXPECT_TRUE((null ? builder.AppendNull() : builder.Append(found == point.tags.end() ? "" : found->second)).ok());
  }
  return *builder.Finish();
}

/// The points with columns for these tags alone.
std::shared_ptr<arrow::RecordBatch> to_batch(const std::vector<Point>& points, const Names& tags, Absence absence) {
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  arrow::DoubleBuilder value;
  for (const Point& point : points) {
    EXPECT_TRUE(time.Append(point.time_us).ok());
    EXPECT_TRUE((point.value ? value.Append(*point.value) : value.AppendNull()).ok());
  }
  arrow::FieldVector fields{arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)),
                            arrow::field("value", arrow::float64())};
  arrow::ArrayVector columns{*time.Finish(), *value.Finish()};
  for (const std::string& tag : tags) {
    fields.push_back(arrow::field(tag, arrow::utf8()));
    columns.push_back(tag_column(points, tag, absence));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), static_cast<std::int64_t>(points.size()), columns);
}

Result<AppendResult> append_batch(Engine& engine, const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
  return append(engine, *reader);
}

std::vector<Point> to_points(const arrow::RecordBatch& batch, const Names& tags) {
  std::vector<Point> points(static_cast<std::size_t>(batch.num_rows()));
  const auto& time = static_cast<const arrow::TimestampArray&>(*batch.GetColumnByName("ts"));
  const auto& value = static_cast<const arrow::DoubleArray&>(*batch.GetColumnByName("value"));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    points[i].time_us = time.Value(row);
    if (value.IsValid(row)) points[i].value = value.Value(row);
    for (const std::string& tag : tags) {
      const auto& column = static_cast<const arrow::StringArray&>(*batch.GetColumnByName(tag));
      if (column.IsNull(row)) continue;
      EXPECT_NE(column.GetView(row), "") << "a tag that the series lacks must read null";
      points[i].tags[tag] = column.GetString(row);
    }
  }
  return points;
}

Result<std::vector<Point>> scan_points(const Engine& engine, const ScanRequest& request = {}) {
  MARIGRAM_ASSIGN(const ScanStream stream, scan(engine, request));
  const Names& tags = engine.state()->meta->index->tags;
  std::vector<Point> points;
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
    if (!batch) return points;
    EXPECT_TRUE(batch->ValidateFull().ok());
    EXPECT_TRUE(batch->schema()->Equals(*stream.schema));
    std::ranges::move(to_points(*batch, tags), std::back_inserter(points));
  }
}

TableOptions growing(const Names& tags = {}) {
  TableOptions options = Fixture::growing_options();
  options.tags.clear();
  for (const std::string& tag : tags) options.tags.push_back({.name = tag, .type = "string"});
  return options;
}

void expect_sound(const Environment& environment, const std::string& where) {
  const auto report = verify(environment, false);
  ASSERT_TRUE(report) << where << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << where << fmt::format("{}", fmt::join(report->problems, "\n"));
}

/// A growing table, and beside it what a naive one would hold.
class Twin {
 public:
  explicit Twin(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = below(3); i > 0; --i) tags_.push_back(new_tag());
    engine_ = fixture_.create(growing(tags_));
  }

  void step() {
    switch (below(10)) {
      case 0:
        return grow();
      case 1:
        return reopen();
      case 2:
        return remove_one();
      case 3:
        return remove_some();
      case 4:
        return compact_all();
      default:
        return add_points();
    }
  }

  void check() {
    for (const ScanOrder order : {ScanOrder::kTime, ScanOrder::kSeries, ScanOrder::kAny}) check_scan(order);
    check_coverage();
    expect_sound(fixture_.environment(), "");
  }

 private:
  struct Append {
    std::vector<Point> points;
    Names segments;
  };

  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool chance() { return below(2) == 0; }
  std::string new_tag() { return fmt::format("tag{}", tags_made_++); }

  Point random_point() {
    Point point{.tags = {}, .time_us = static_cast<std::int64_t>(below(3'000)) * kMinuteUs, .value = {}};
    for (const std::string& tag : tags_) {
      if (const std::size_t value = below(4); value > 0) point.tags[tag] = fmt::format("v{}", value);
    }
    if (chance()) point.value = static_cast<double>(below(100));
    return point;
  }

  void grow() {
    Names added{new_tag()};
    if (chance()) added.push_back(new_tag());
    std::vector<ColumnInfo> fields;
    if (chance()) fields.push_back({.name = "field of " + added.front(), .type = "int64"});
    const std::uint64_t version = engine_->state()->version;
    ASSERT_EQ(evolve(*engine_, added, fields).value(), version + 1);
    tags_.insert(tags_.end(), added.begin(), added.end());
    EXPECT_EQ(engine_->state()->meta->index->tags, tags_);
  }

  /// What the handle holds and what the log says must be the same, from a checkpoint and from the first commit on.
  void reopen() {
    if (chance()) {
      ASSERT_TRUE(engine_->log().write_checkpoint(*engine_->state()));
    }
    const StatePtr before = engine_->state();
    engine_ = *Engine::open(fixture_.environment(), {});
    EXPECT_EQ(engine_->state()->meta, before->meta);
    ASSERT_EQ(engine_->state()->segments.size(), before->segments.size());
    for (const auto& [key, segment] : before->segments) EXPECT_EQ(*engine_->state()->segments.at(key), *segment);
  }

  void remove_one() {
    if (appends_.empty()) return;
    const auto chosen = appends_.begin() + static_cast<std::ptrdiff_t>(below(appends_.size()));
    const auto& live = engine_->state()->segments;
    if (!std::ranges::all_of(chosen->segments, [&](const auto& key) { return live.contains(key); })) return;
    const auto removed = remove_segments(*engine_, chosen->segments);
    ASSERT_TRUE(removed) << removed.error().message;
    appends_.erase(chosen);
  }

  void compact_all() {
    const auto report = compact(*engine_);
    ASSERT_TRUE(report) << report.error().message;
  }

  void remove_some() {
    const std::vector<TagPredicate> where = random_predicates();
    const auto removed = remove_rows(*engine_, {.from = {}, .to = {}, .where = where});
    ASSERT_TRUE(removed) << removed.error().message;
    std::size_t expected = 0;
    for (Append& append : appends_) {
      expected += std::erase_if(append.points, [&](const Point& point) { return matches(point, {.where = where}); });
    }
    EXPECT_EQ(*removed, expected);
    std::erase_if(appends_, [](const Append& append) { return append.points.empty(); });
  }

  void add_points() {
    Append added;
    const std::vector<Point> held = points();
    std::set<std::pair<SeriesKey, std::int64_t>> covered;
    for (const Point& point : held) covered.emplace(series_of(point, tags_), point.time_us);
    for (std::size_t i = 1 + below(30); i > 0; --i) {
      Point point = random_point();
      if (covered.emplace(series_of(point, tags_), point.time_us).second) added.points.push_back(std::move(point));
    }
    const bool overlaps = !held.empty() && below(8) == 0;
    if (overlaps) added.points.push_back(held[below(held.size())]);
    if (added.points.empty()) return;
    const StatePtr before = engine_->state();
    const auto appended = append_batch(
        *engine_, to_batch(added.points, tags_said(added.points), chance() ? Absence::kNull : Absence::kEmpty));
    if (overlaps) {
      ASSERT_FALSE(appended);
      EXPECT_EQ(appended.error().code, ErrorCode::kOverlap);
      return;
    }
    ASSERT_TRUE(appended) << appended.error().message;
    for (const auto& [key, segment] : engine_->state()->segments) {
      if (!before->segments.contains(key)) added.segments.push_back(key);
    }
    appends_.push_back(std::move(added));
  }

  /// Tags that the points have, and some of the others, in any order.
  Names tags_said(const std::vector<Point>& points) {
    Names said;
    for (const std::string& tag : tags_) {
      if (chance() || std::ranges::any_of(points, [&](const Point& point) { return point.tags.contains(tag); })) {
        said.push_back(tag);
      }
    }
    std::ranges::shuffle(said, random_);
    return said;
  }

  std::vector<Point> points() const {
    std::vector<Point> all;
    for (const Append& append : appends_) all.insert(all.end(), append.points.begin(), append.points.end());
    return all;
  }

  std::vector<TagPredicate> random_predicates() {
    std::vector<TagPredicate> where;
    for (const std::string& tag : tags_) {
      if (below(3) > 0) continue;
      where.push_back({.column = tag, .values = {}});
      for (const char* value : {"", "v1", "v2", "other"}) {
        if (chance()) where.back().values.emplace_back(value);
      }
    }
    return where;
  }

  bool matches(const Point& point, const ScanRequest& request) const {
    const IndexValue time = Instant::from_units(point.time_us, TimeUnit::kMicro);
    if ((request.from && time < *request.from) || (request.to && time >= *request.to)) return false;
    return std::ranges::all_of(request.where, [&](const TagPredicate& predicate) {
      const auto found = point.tags.find(predicate.column);
      return std::ranges::find(predicate.values, found == point.tags.end() ? "" : found->second) !=
             predicate.values.end();
    });
  }

  void check_scan(ScanOrder order) {
    ScanRequest request{.where = random_predicates(), .order = order, .batch_rows = 1 + below(50)};
    if (chance())
      request.from = Instant::from_units(static_cast<std::int64_t>(below(1'500)) * kMinuteUs, TimeUnit::kMicro);
    if (chance())
      request.to = Instant::from_units(static_cast<std::int64_t>(1'500 + below(1'500)) * kMinuteUs, TimeUnit::kMicro);
    if (chance() && order != ScanOrder::kAny) request.limit = below(100);
    auto scanned = scan_points(*engine_, request);
    ASSERT_TRUE(scanned) << scanned.error().message;
    std::vector<Point> expected = points();
    std::erase_if(expected, [&](const Point& point) { return !matches(point, request); });
    const auto key = [&](const Point& point) {
      const SeriesKey series = series_of(point, tags_);
      return order == ScanOrder::kTime ? std::tuple(point.time_us, series, std::int64_t{0})
                                       : std::tuple(std::int64_t{0}, series, point.time_us);
    };
    std::ranges::sort(expected, {}, key);
    if (order == ScanOrder::kAny) std::ranges::sort(*scanned, {}, key);
    if (expected.size() > request.limit) expected.resize(request.limit);
    ASSERT_EQ(*scanned, expected);
  }

  void check_coverage() {
    CoverageRequest request{.where = random_predicates()};
    std::map<SeriesKey, std::uint64_t> expected;
    for (const Point& point : points()) {
      if (matches(point, {.where = request.where})) ++expected[series_of(point, tags_)];
    }
    const auto reports = report_coverage_by_series(*engine_, *engine_->state(), request);
    ASSERT_TRUE(reports) << reports.error().message;
    std::map<SeriesKey, std::uint64_t> found;
    for (const CoverageReport& report : *reports) found.emplace(report.series, report.covered_buckets);
    ASSERT_EQ(found, expected);
  }

  std::mt19937_64 random_;
  Fixture fixture_;
  Names tags_;
  int tags_made_ = 0;
  std::unique_ptr<Engine> engine_;
  std::vector<Append> appends_;
};

TEST(GrowingTest, LikeANaiveTable) {
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Twin twin(seed);
    for (int i = 0; i < 25; ++i) {
      twin.step();
      twin.check();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(GrowingTest, ItIsDeclaredAndShown) {
  Fixture fixture;
  const auto engine = fixture.create(growing({"host"}));
  const auto& meta = *engine->state()->meta;
  EXPECT_TRUE(meta.reader_features.contains("marigram_growing"));
  EXPECT_TRUE(meta.writer_features.contains("marigram_growing"));
  EXPECT_TRUE(describe(*engine->state()).growing);
  ASSERT_TRUE(add_tags(*engine, Names{"rack"}));
  const TableInfo info = describe(*engine->state());
  ASSERT_EQ(info.tags.size(), 2U);
  EXPECT_EQ(info.tags.back().name, "rack");
  EXPECT_EQ(info.tags.back().type, "string");
  EXPECT_EQ(info.fields.size(), 1U);
  const auto commits = list_commits(*engine, engine->state()->version);
  EXPECT_EQ(commits->back().operation, "add_tags");
}

/// The bytes of the first commit but for its transaction's id.
std::string first_commit(Fixture& fixture) {
  std::string text = fixture.store->read("_timeseries_log/0000000001.json").value().bytes;
  const std::string member = "\"transaction_id\":\"";
  const std::size_t begin = text.find(member) + member.size();
  return text.replace(begin, text.find('"', begin) - begin, "?");
}

TEST(GrowingTest, OtherTablesAreWrittenAsEver) {
  Fixture fixture;
  TableOptions options = growing({"host"});
  options.growing = false;
  const auto engine = fixture.create(options);
  const std::string now = format_rfc3339(fixture.clock.now());
  EXPECT_EQ(first_commit(fixture),
            R"({"version":1,"base_version":0,"timestamp":")" + now +
                R"(","actions":[{"UpdateTableMeta":{"kind":{"TimeSeries":{"column":"ts","entity_columns":["host"],)"
                R"("kind":{"type":"timestamp","index_granularity":{"Minutes":1}}}},"logical_schema":{"columns":[)"
                R"({"name":"ts","data_type":{"Timestamp":{"unit":"Micros","timezone":null}},"nullable":true},)"
                R"({"name":"host","data_type":"Utf8","nullable":true},)"
                R"({"name":"value","data_type":"Float64","nullable":true}]},"created_at":")" +
                now +
                R"(","protocol_version":7,"required_reader_features":[],"required_writer_features":[]}},)"
                R"({"Marigram":{"transaction_id":"?","operation":"create","partition":"1d"}}]})");
  EXPECT_FALSE(describe(*engine->state()).growing);
  const auto refused =
      append_batch(*engine, to_batch({{.tags = {}, .time_us = 0, .value = 1}}, {"host"}, Absence::kNull));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
}

TEST(GrowingTest, WhatCannotGrowIsRefused) {
  Fixture fixture;
  TableOptions options = growing({"host"});
  options.dialect = Dialect::kV1;
  EXPECT_EQ(Engine::create(fixture.environment(), options).error().code, ErrorCode::kInvalidInput);
  options = growing();
  options.tags = {{.name = "room", .type = "int64"}};
  EXPECT_EQ(Engine::create(fixture.environment(), options).error().code, ErrorCode::kInvalidInput);
  options.tags = {{.name = "room", .type = "string", .nullable = false}};
  EXPECT_EQ(Engine::create(fixture.environment(), options).error().code, ErrorCode::kInvalidInput);

  const auto engine = fixture.create(growing({"host"}));
  const StatePtr before = engine->state();
  EXPECT_EQ(add_tags(*engine, {}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(add_tags(*engine, Names{"host"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(add_tags(*engine, Names{"value"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(add_tags(*engine, Names{"ts"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(add_tags(*engine, Names{"a", "a"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(add_tags(*engine, Names{""}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(add_tags(*engine, Names{std::string("a\0b", 3)}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(add_tags(*engine, Names{"\xff"}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(evolve(*engine, Names{"x"}, std::vector<ColumnInfo>{{.name = "x", .type = "int64"}}).error().code,
            ErrorCode::kAlreadyExists);
  EXPECT_EQ(engine->state(), before);

  Fixture other;
  options = growing({"host"});
  options.growing = false;
  const auto fixed = other.create(options);
  EXPECT_EQ(add_tags(*fixed, Names{"rack"}).error().code, ErrorCode::kInvalidInput);
}

TEST(GrowingTest, TagsMayComeWhileRowsAreWritten) {
  for (const Names& tags : {Names{}, Names{"host"}}) {
    Fixture fixture;
    const auto engine = fixture.create(growing(tags));
    Point point{.tags = {}, .time_us = 0, .value = 1};
    for (const std::string& tag : tags) point.tags[tag] = "a";
    InterruptedRows rows(to_batch({point}, tags, Absence::kNull), [&] {
      const auto other = *Engine::open(fixture.environment(), {});
      ASSERT_TRUE(add_tags(*other, Names{"rack"}));
    });
    const auto appended = append(*engine, rows);
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_EQ(scan_points(*engine).value(), std::vector<Point>{point});
    expect_sound(fixture.environment(), "");
    // The same series and time again, said with the new tag as null.
    const auto again = append_batch(*engine, to_batch({point}, engine->state()->meta->index->tags, Absence::kNull));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kOverlap);
  }
}

/// A handle that cached its coverage, another that adds tags, and the table as it was before.
TEST(GrowingTest, HandlesOfOtherVersions) {
  Fixture fixture;
  const auto engine = fixture.create(growing({"host"}));
  const Point first{.tags = {{"host", "a"}}, .time_us = 0, .value = 1};
  ASSERT_TRUE(append_batch(*engine, to_batch({first}, {"host"}, Absence::kNull)));
  ASSERT_TRUE(report_coverage_by_series(*engine, *engine->state(), {}));
  const auto other = *Engine::open(fixture.environment(), {});
  ASSERT_TRUE(add_tags(*other, Names{"rack"}));
  const Point second{.tags = {{"rack", "r"}}, .time_us = 0, .value = 2};
  ASSERT_TRUE(append_batch(*other, to_batch({second}, {"rack"}, Absence::kNull)));
  EXPECT_EQ(scan_points(*engine).value(), std::vector<Point>{first});
  const auto old = engine->state();
  ASSERT_TRUE(engine->refresh());
  EXPECT_EQ(scan_points(*engine).value(), (std::vector<Point>{second, first}));
  EXPECT_EQ(report_coverage_by_series(*engine, *engine->state(), {})->size(), 2U);
  EXPECT_EQ(report_coverage_by_series(*engine, *old, {})->front().series, SeriesKey{std::string("a")});
  const auto past = *Engine::open(fixture.environment(), {.at = std::uint64_t{2}});
  EXPECT_EQ(scan_points(*past).value(), std::vector<Point>{first});
  EXPECT_EQ(past->state()->meta->index->tags, Names{"host"});
}

/// Coverage files of before are mended as they were; the table's snapshot too.
TEST(GrowingTest, OldCoverageFilesAreRepaired) {
  for (const Names& tags : {Names{}, Names{"host"}}) {
    for (const std::string& folder : {std::string("_coverage/segments"), std::string("_coverage/table")}) {
      Fixture fixture;
      const auto engine = fixture.create(growing(tags));
      const Point point{.tags = {}, .time_us = 0, .value = 1};
      ASSERT_TRUE(append_batch(*engine, to_batch({point}, tags, Absence::kNull)));
      ASSERT_TRUE(add_tags(*engine, Names{"rack", "row"}));
      const std::string path = fixture.store->list(folder).value().front().key;
      const std::string bytes = fixture.store->read(path).value().bytes;
      for (const bool missing : {true, false}) {
        std::string damaged = bytes;
        damaged.back() = static_cast<char>(damaged.back() ^ 1);
        ASSERT_TRUE(missing ? fixture.store->remove(path).has_value() : fixture.store->put(path, damaged).has_value());
        EXPECT_EQ(verify(fixture.environment(), false)->problems.size(), 1U) << path;
        EXPECT_EQ(verify(fixture.environment(), true)->repaired.size(), 1U) << path;
        EXPECT_EQ(fixture.store->read(path).value().bytes, bytes) << path;
        expect_sound(fixture.environment(), path);
      }
    }
  }
}

}  // namespace
}  // namespace marigram::table::testing
