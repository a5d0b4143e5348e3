// Rows of one series and time, under each policy, through appends, compactions, deletions, checkpoints and changes of
// format, against a naive model. Without these a table could show a row that another replaced, lose one that it should
// keep, or give equal rows in another order than they came in.
#include "table/delete.h"
#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <random>
#include <set>

namespace marigram::table::testing {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

TableOptions options_of(Duplicates policy) {
  TableOptions options = Fixture::options();
  options.fields = {{.name = "value", .type = "float64"}};  // a head has rows before the table has segments
  options.duplicates = policy;
  return options;
}

/// Rows of a head in order of arrival, as a scan wants them.
NewerRows newer_of(const std::vector<Row>& rows, const ScanRequest& request, Duplicates policy) {
  return [=](const std::vector<std::string>& columns, ScanOrder order) -> std::unique_ptr<BatchSource> {
    ScanRequest matching = request;
    matching.order = order;
    matching.limit = ScanRequest{}.limit;
    const std::vector<Row> given = expected_rows(visible_rows(rows, policy), matching);
    const BatchPtr whole = to_batch(given);
    std::vector<BatchPtr> batches;
    const auto step = static_cast<std::int64_t>(std::min<std::size_t>(request.batch_rows, 7));
    for (std::int64_t at = 0; at < whole->num_rows(); at += step) {
      std::vector<int> chosen;
      for (const std::string& column : columns) chosen.push_back(whole->schema()->GetFieldIndex(column));
      batches.push_back(*whole->Slice(at, step)->SelectColumns(chosen));
    }
    return std::make_unique<VectorSource>(std::move(batches));
  };
}

/// A table and what it must hold, changed and asked at random.
class ModelRun {
 public:
  ModelRun(Duplicates policy, std::uint64_t seed) : policy_(policy), random_(seed) {
    engine_ = fixture_.create(options_of(policy));
  }

  void step() {
    switch (below(13)) {
      case 0:
        return reopen();
      case 6:
        return change_format();
      case 1:
        return compact();
      case 2:
        return remove();
      case 3:
      case 4:
      case 5:
        return append();
      default:
        return query();
    }
  }

  void check_sound() {
    const auto report = verify(fixture_.environment(), false);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->problems.empty()) << fmt::format("{}", fmt::join(report->problems, "\n"));
  }

 private:
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  /// Few series and times, so that most rows meet others; values tell them apart.
  std::vector<Row> random_rows(std::int64_t count_max) {
    std::vector<Row> rows;
    const std::int64_t start = below(4 * 1440) - 2 * 1440;  // minutes around 1970, four partitions
    const std::int64_t minutes = 1 + below(below(2) == 0 ? 20 : 2'000);
    for (std::int64_t i = 1 + below(count_max); i > 0; --i) {
      const std::string series(1, static_cast<char>('a' + below(3)));
      const std::int64_t minute = start + below(minutes);
      if (policy_ == Duplicates::kReject && !taken_.emplace(series, minute).second) continue;
      const std::int64_t within = policy_ == Duplicates::kReject ? below(kMinuteUs) : below(2);
      rows.push_back({minute * kMinuteUs + within, series, static_cast<double>(++value_)});
    }
    return rows;
  }

  /// In several batches, as streams come.
  void append() {
    const std::vector<Row> rows = random_rows(below(4) == 0 ? 600 : 40);
    if (rows.empty()) return;
    const BatchPtr whole = to_batch(rows);
    std::vector<BatchPtr> batches;
    for (std::int64_t at = 0; at < whole->num_rows();) {
      batches.push_back(whole->Slice(at, 1 + below(50)));
      at += batches.back()->num_rows();
    }
    const auto reader = *arrow::RecordBatchReader::Make(batches, row_schema());
    const auto appended = table::append(*engine_, *reader);
    ASSERT_TRUE(appended) << appended.error().message;
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    if (below(4) == 0) past_ = Past{engine_->state(), rows_};
  }

  /// Nothing is seen of it, but that there is nothing left to do.
  void compact() {
    const auto report = table::compact(*engine_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GE(report->before.rows, report->after.rows);
    const auto again = table::compact(*engine_);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->version, report->version);
    EXPECT_EQ(again->before.segments, 0U);
    for (const auto& [key, segment] : engine_->state()->segments) {
      EXPECT_EQ(segment->format, engine_->state()->segment_format) << segment->path;
    }
  }

  /// Segments of both formats stand side by side until a compaction.
  void change_format() {
    const auto format = below(2) == 0 ? SegmentFormat::kNative : SegmentFormat::kParquet;
    const auto version = set_segments(*engine_, format, {});
    ASSERT_TRUE(version) << version.error().message;
  }

  /// Takes the rows out of the model that a scan would show, and counts them.
  void remove() {
    ScanRequest request = random_request();
    request.limit = ScanRequest{}.limit;
    const auto removed = remove_rows(*engine_, {.from = request.from, .to = request.to, .where = request.where});
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(*removed, expected_rows(visible_rows(rows_, policy_), request).size());
    const std::vector<Row> gone = expected_rows(rows_, request);
    std::erase_if(rows_, [&](const Row& row) { return std::ranges::find(gone, row) != gone.end(); });
    for (const Row& row : gone) taken_.erase({row.series, bucket_of(row)});
  }

  /// A minute, also before 1970.
  static std::int64_t bucket_of(const Row& row) { return (row.time_us + 10'000 * kMinuteUs) / kMinuteUs - 10'000; }

  /// A checkpoint must keep all that tells the order of equal rows.
  void reopen() {
    if (below(2) == 0) {
      ASSERT_TRUE(engine_->log().write_checkpoint(*engine_->state()));
    }
    auto engine = Engine::open(fixture_.environment(), {});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = std::move(*engine);
  }

  ScanRequest random_request() {
    ScanRequest request;
    request.order =
        std::array{ScanOrder::kTime, ScanOrder::kSeries, ScanOrder::kAny}[static_cast<std::size_t>(below(3))];
    request.batch_rows = static_cast<std::size_t>(1 + below(below(2) == 0 ? 7 : 70'000));
    if (below(3) == 0) request.limit = static_cast<std::uint64_t>(below(100));
    const std::int64_t from_us = (below(5 * 1440) - 3 * 1440) * kMinuteUs + below(3) - 1;
    if (below(3) > 0) request.from = Instant::from_units(from_us, TimeUnit::kMicro);
    if (below(3) > 0) request.to = Instant::from_units(from_us + 1 + below(2880) * kMinuteUs, TimeUnit::kMicro);
    if (below(3) == 0) request.where = {{.column = "series", .values = {std::string(1, "abcx"[below(4)])}}};
    return request;
  }

  /// The newest version, or one that is past; half of the time with newer rows than all segments.
  void query() {
    const ScanRequest request = random_request();
    const bool past = past_ && below(4) == 0;
    std::vector<Row> rows = past ? past_->rows : rows_;
    NewerRows newer;
    if (policy_ != Duplicates::kReject && below(2) == 0) {
      const std::vector<Row> head = random_rows(60);
      newer = newer_of(head, request, policy_);
      rows.insert(rows.end(), head.begin(), head.end());
    }
    const auto got = scan_rows(*engine_, past ? past_->state : engine_->state(), request, newer);
    ASSERT_TRUE(got) << got.error().message;
    expect_rows(*got, visible_rows(rows, policy_), request);
  }

  static void expect_rows(std::vector<Row> got, const std::vector<Row>& visible, ScanRequest request) {
    if (request.order != ScanOrder::kAny) {
      ASSERT_EQ(got, expected_rows(visible, request));
      return;
    }
    const std::uint64_t limit = std::exchange(request.limit, ScanRequest{}.limit);
    std::vector<Row> expected = expected_rows(visible, request);
    std::ranges::sort(expected);
    std::ranges::sort(got);
    ASSERT_EQ(got.size(), std::min<std::uint64_t>(limit, expected.size()));
    ASSERT_TRUE(std::ranges::includes(expected, got));
  }

  struct Past {
    StatePtr state;
    std::vector<Row> rows;
  };

  Fixture fixture_;
  Duplicates policy_;
  std::mt19937_64 random_;
  std::unique_ptr<Engine> engine_;
  std::vector<Row> rows_;                                 // in order of arrival
  std::set<std::pair<std::string, std::int64_t>> taken_;  // buckets of a table that rejects
  std::int64_t value_ = 0;
  std::optional<Past> past_;
};

class DuplicatesModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(DuplicatesModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  ModelRun run(policy, seed);
  for (int step = 0; step < 60; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    run.step();
    if (HasFatalFailure()) return;
  }
  run.check_sound();
}

INSTANTIATE_TEST_SUITE_P(Seeds, DuplicatesModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 31)));

/// Three times the same keys, each time more than one piece of an append: equal rows lie in several segments of one
/// commit, whose order alone tells which came last.
TEST(DuplicatesTest, RowsOfOneAppendThatIsWrittenInPieces) {
  constexpr std::int64_t kRows = 300'000;
  for (const Duplicates policy : {Duplicates::kLast, Duplicates::kAll}) {
    Fixture fixture;
    const auto engine = fixture.create(options_of(policy));
    std::vector<BatchPtr> batches;
    for (int round = 0; round < 3; ++round) {
      std::vector<Row> rows;
      for (std::int64_t i = 0; i < kRows; ++i) rows.push_back({i, "a", static_cast<double>(round)});
      batches.push_back(to_batch(rows));
    }
    const auto reader = *arrow::RecordBatchReader::Make(batches, row_schema());
    const auto appended = append(*engine, *reader);
    ASSERT_TRUE(appended) << appended.error().message;
    EXPECT_GT(appended->segments, 1U);
    ASSERT_TRUE(engine->log().write_checkpoint(*engine->state()));
    const auto reopened = Engine::open(fixture.environment(), {});
    ASSERT_TRUE(reopened) << reopened.error().message;
    const auto rows = scan_rows(**reopened);
    ASSERT_TRUE(rows) << rows.error().message;
    const std::size_t each = policy == Duplicates::kAll ? 3 : 1;
    ASSERT_EQ(rows->size(), each * kRows);
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const double round = policy == Duplicates::kAll ? static_cast<double>(i % 3) : 2;
      ASSERT_EQ((*rows)[i], (Row{static_cast<std::int64_t>(i / each), "a", round})) << i;
    }
  }
}

/// They are looked at though there is nothing to sort.
TEST(DuplicatesTest, RowsThatComeInOrder) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kLast));
  const auto appended = append_rows(*engine, {{0, "a", 1.0}, {0, "a", 2.0}, {1, "a", 3.0}, {1, "b", 4.0}});
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(appended->rows, 3U);
  EXPECT_EQ(scan_rows(*engine, {.order = ScanOrder::kSeries}),
            (std::vector<Row>{{0, "a", 2.0}, {1, "a", 3.0}, {1, "b", 4.0}}));
}

/// More rows of one key than a segment holds.
TEST(DuplicatesTest, ManyRowsOfOneTimeKeepTheirOrder) {
  constexpr std::int64_t kRows = 600'000;
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < kRows; ++i) rows.push_back({7, "a", static_cast<double>(i)});
  ASSERT_TRUE(append_rows(*engine, rows));
  EXPECT_GT(engine->state()->segments.size(), 2U);
  EXPECT_TRUE(scan_rows(*engine, {.order = ScanOrder::kSeries}) == rows);
  EXPECT_TRUE(scan_rows(*engine) == rows);
}

TEST(DuplicatesTest, TheLimitCountsRowsThatAreShown) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kLast));
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 10)));
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 10)));
  for (const ScanOrder order : {ScanOrder::kTime, ScanOrder::kSeries, ScanOrder::kAny}) {
    EXPECT_EQ(scan_rows(*engine, {.order = order, .limit = 7, .batch_rows = 3})->size(), 7U);
    EXPECT_EQ(scan_rows(*engine, {.order = order, .limit = 15, .batch_rows = 3})->size(), 10U);
  }
}

TEST(DuplicatesTest, KeysNeedNotBeAskedForToTellRowsApart) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kLast));
  ASSERT_TRUE(append_rows(*engine, {{0, "a", 1.0}, {0, "b", 2.0}}));
  ASSERT_TRUE(append_rows(*engine, {{0, "b", 3.0}, {1, "a", 4.0}}));
  const ScanRequest request{.columns = {"value"}, .order = ScanOrder::kAny};
  for (const bool with_newer : {false, true}) {
    const auto newer = newer_of({{1, "a", 5.0}}, request, Duplicates::kLast);
    auto stream = scan(*engine, engine->state(), request, with_newer ? newer : NewerRows{});
    ASSERT_TRUE(stream);
    std::multiset<double> values;
    while (const BatchPtr batch = *stream->rows->next()) {
      ASSERT_EQ(batch->num_columns(), 1);
      const auto& column = static_cast<const arrow::DoubleArray&>(*batch->column(0));
      for (std::int64_t row = 0; row < batch->num_rows(); ++row) values.insert(column.Value(row));
    }
    EXPECT_EQ(values, (std::multiset<double>{1, 3, with_newer ? 5.0 : 4.0}));
  }
}

TEST(DuplicatesTest, MarksOfTheWriteAheadLogAreKept) {
  Fixture fixture;
  const auto engine = fixture.create(options_of(Duplicates::kAll));
  const log::WalMark first{.log = std::string(32, 'a'), .lsn = 5};
  const log::WalMark second{.log = std::string(32, 'a'), .lsn = 9};
  const auto reader = *arrow::RecordBatchReader::Make({to_batch(minutes("a", 0, 2))}, row_schema());
  ASSERT_TRUE(append(*engine, *reader, {.wal = first}));
  EXPECT_EQ(engine->state()->wal, first);
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 2)));
  EXPECT_EQ(engine->state()->wal, first);
  const auto version = commit_wal_mark(*engine, second);
  ASSERT_TRUE(version);
  EXPECT_EQ(*version, engine->state()->version);
  ASSERT_TRUE(engine->log().write_checkpoint(*engine->state()));
  const auto again = Engine::open(fixture.environment(), {});
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->state()->wal, second);
  EXPECT_EQ(scan_rows(**again)->size(), 4U);
}

/// The commit of a table that does not use any of this is what it always was.
TEST(DuplicatesTest, OtherTablesAreWrittenAsBefore) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 1)));
  for (const std::uint64_t version : {1U, 2U}) {
    const auto commit = fixture.store->read(fmt::format("_timeseries_log/{:010}.json", version));
    ASSERT_TRUE(commit);
    for (const char* word : {"duplicates", "rank", "wal"}) {
      EXPECT_EQ(commit->bytes.find(word), std::string::npos) << word;
    }
  }
  EXPECT_EQ(append_rows(*engine, minutes("a", 0, 1)).error().code, ErrorCode::kOverlap);
  TableOptions v1 = options_of(Duplicates::kLast);
  v1.dialect = Dialect::kV1;
  Fixture other;
  EXPECT_EQ(Engine::create(other.environment(), v1).error().code, ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace marigram::table::testing
