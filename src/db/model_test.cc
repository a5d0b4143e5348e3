// A database and a map of rows go through the same: batches of all sizes, late and doubled rows, new tags and fields,
// deletions, flushes, compactions, reopening, crashes at any step of the disk. Every kind of query must find in both
// the same. Without this test rows could be lost, doubled or mixed up where the parts of a database meet: memory and
// segments, before and after a recovery.
//
// MARIGRAM_MODEL_SEEDS: how many (51, a third of them for each policy on duplicates); MARIGRAM_MODEL_OPERATIONS: of
// each (10,000); MARIGRAM_SEED: the first (1). Under a sanitizer there are fewer.
#include "db/test_extent.h"
#include "db/test_random_rows.h"
#include "db/test_watched_database.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

using Mode = TestDisk::Mode;

/// Some have so little memory that inserts are refused, and recoveries flush.
DatabaseOptions options_of(Duplicates policy, std::uint64_t seed) {
  DatabaseOptions options;
  options.log_file_bytes = TestDisk::kLogFileBytes;
  options.duplicates = policy;
  options.segments = seed / 3 % 2 == 1 ? SegmentFormat::kNative : SegmentFormat::kParquet;
  constexpr std::array kCompressions{"auto", "none", "gorilla:zstd", "dictionary:lz4", "delta:snappy"};
  if (options.segments == SegmentFormat::kNative) options.compression = kCompressions[seed / 6 % kCompressions.size()];
  if (seed % 8 == 0) options.memory_bytes = std::uint64_t{256} << 10;
  options.write_timeout = std::chrono::milliseconds(0);
  return options;
}

const char* policy_name(Duplicates policy) {
  return policy == Duplicates::kReject ? "reject" : policy == Duplicates::kLast ? "last" : "all";
}

/// One run: a database, and what happens to it.
class Game {
 public:
  Game(std::uint64_t seed, Duplicates policy)
      : random_(seed, policy == Duplicates::kReject), database_(options_of(policy, seed)) {
    [[maybe_unused]] const Status opened = database_.open();
  }

  void play(std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations && !::testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("operation " + std::to_string(i));
      step();
      if (database_.is_struck()) recover();
    }
  }

  WatchedDatabase& database() { return database_; }
  std::uint64_t crashes() const { return crashes_; }

 private:
  /// Most steps are inserts, which cost little; a check costs as much as fifty.
  void step() {
    const std::uint64_t draw = random_.below(2'000);
    if (draw < 50) return query_rows();
    if (draw < 80) return query_aggregates();
    if (draw < 90) return list();
    if (draw < 130) return insert_badly();
    if (draw < 137) return (void)database_.remove(random_.table(), random_.selection());
    if (draw < 148) return (void)database_.flush();
    if (draw < 150) return (void)database_.compact();
    if (draw < 154) return (void)database_.reopen();
    if (draw < 157) return (void)database_.move();
    if (draw < 164) return arm();
    insert();
  }

  void insert();
  void insert_badly();
  void query_rows();
  void query_aggregates();
  void list();
  void arm();
  void recover();
  /// In the order of the table.
  std::vector<std::string> tags_of(const std::string& table) const;

  RandomRows random_;
  WatchedDatabase database_;
  std::map<std::string, std::set<std::string>> fields_;  // of each table, for sure
  std::uint64_t crashes_ = 0;
};

void Game::insert() {
  const std::string table = random_.table();
  const std::vector<Row> rows = random_.rows();
  const Status inserted = database_.insert(table, rows, random_.durability());
  if (!inserted && inserted.error().code == ErrorCode::kResourceExhausted) return (void)database_.flush();
  if (!inserted) return;
  for (const NaiveRow& row : naive_rows(rows)) {
    for (const auto& [name, value] : row.fields) fields_[table].insert(name);
  }
}

/// One row is bad, and none is inserted.
void Game::insert_badly() {
  const std::string table = random_.table();
  std::vector<Row> rows = random_.rows();
  if (random_.one_in(2) || fields_[table].empty()) {
    rows.back().tags.push_back({.name = "time", .value = "noon"});
  } else {
    const std::string field = random_.one_of(std::vector(fields_[table].begin(), fields_[table].end()));
    std::erase_if(rows.back().fields, [&](const auto& there) { return there.first == field; });
    rows.back().fields.emplace_back(field, field.front() == 's' ? Value(1.5) : Value(std::string("text")));
  }
  const Status inserted = database_.database().insert_rows(kTenant, table, rows, random_.durability());
  ASSERT_FALSE(inserted);
  if (database_.is_struck()) return;
  const ErrorCode code = inserted.error().code;
  const bool full = database_.is_full();
  EXPECT_TRUE(code == ErrorCode::kInvalidInput || code == ErrorCode::kSchemaMismatch || full)
      << inserted.error().message;
}

void Game::query_rows() {
  const std::string table = random_.table();
  const NaiveTable& naive = database_.model(table);
  const QueryRequest request = random_.rows_request(fields_[table]);
  auto rows = ask_for_rows(database_.database(), table, request);
  if (database_.is_struck()) return;
  if (!rows && rows.error().code == ErrorCode::kNotFound && naive.size() == 0) return;
  ASSERT_TRUE(rows) << rows.error().message;
  if (request.order != ScanOrder::kAny) {
    ASSERT_EQ(*rows, naive.rows(request, tags_of(table)));
    return;
  }
  QueryRequest unlimited = request;
  unlimited.limit = std::numeric_limits<std::uint64_t>::max();
  NaiveRows all = naive.rows(unlimited, {});
  ASSERT_EQ(rows->size(), std::min<std::uint64_t>(all.size(), request.limit));
  std::ranges::sort(all);
  std::ranges::sort(*rows);
  ASSERT_TRUE(std::ranges::includes(all, *rows));
}

void Game::query_aggregates() {
  const std::string table = random_.table();
  if (fields_[table].empty()) return;
  const QueryRequest request = random_.aggregates_request(fields_[table]);
  const std::vector<std::string> tags = tags_of(table);
  const auto known = [&](const std::string& name) { return std::ranges::find(tags, name) != tags.end(); };
  if (request.fields.empty() || !std::ranges::all_of(request.by, known)) return;
  const auto cells = ask_for_cells(database_.database(), table, request);
  if (database_.is_struck()) return;
  ASSERT_TRUE(cells) << cells.error().message;
  ASSERT_EQ(*cells, database_.model(table).aggregates(request, tags))
      << request.aggregate << " of " << request.fields.front();
}

/// Series that have lost their rows may still be listed.
void Game::list() {
  const std::string table = random_.table();
  const std::vector<TagMatcher> where = random_.where();
  const auto listed = database_.database().list_tag_sets(kTenant, table, where);
  if (database_.is_struck() || !listed) return;
  for (const Tags& tags : *listed) EXPECT_TRUE(matches(where, tags));
  for (const NaiveRow& row : database_.model(table).rows({.where = where}, {})) {
    EXPECT_TRUE(std::ranges::binary_search(*listed, row.tags));
  }
}

void Game::arm() {
  constexpr std::uint64_t kSteps = 60;
  const Mode mode = random_.one_in(3) ? Mode::kKill : Mode::kPowerCut;
  database_.arm(mode, random_.below(kSteps), random_.below(1'000'000));
}

void Game::recover() {
  ++crashes_;
  const std::uint64_t shaken = random_.one_in(4) ? 1 + random_.below(2) : 0;
  database_.recover(shaken, random_.below(1'000'000));
}

std::vector<std::string> Game::tags_of(const std::string& table) const {
  ArrowArrayStream stream;
  if (!database_.database().query(kTenant, table, {}, &stream)) return {};
  std::vector<std::string> names = (*arrow::ImportRecordBatchReader(&stream))->schema()->field_names();
  std::erase_if(names, [](const std::string& name) { return !is_tag(name); });
  return names;
}

constexpr std::uint64_t kParts = 6;  // that may run side by side

class ModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ModelTest, EveryQueryFindsWhatAMapOfRowsHas) {
  const std::uint64_t seeds = number_from("MARIGRAM_MODEL_SEEDS", kSanitized ? 6 : 51);
  const std::uint64_t operations = number_from("MARIGRAM_MODEL_OPERATIONS", kSanitized ? 3'000 : 10'000);
  const std::uint64_t first = number_from("MARIGRAM_SEED", 1);
  std::uint64_t played = 0;
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = first + GetParam(); seed < first + seeds && !HasFailure(); seed += kParts) {
    const auto policy = static_cast<Duplicates>(seed % 3);
    SCOPED_TRACE(fmt::format("seed {}, policy {}", seed, policy_name(policy)));
    Game game(seed, policy);
    game.play(operations);
    played += operations;
    crashes += game.crashes();
  }
  RecordProperty("crashes", static_cast<int>(crashes));
  EXPECT_GE(crashes, played / 1'000) << "so few crashes prove nothing";
}

INSTANTIATE_TEST_SUITE_P(Parts, ModelTest, ::testing::Range(std::uint64_t{0}, kParts));

/// The checks would find what a disk loses that syncs no files, or no folders.
TEST(ModelHarnessTest, ADiskThatDoesNotSyncIsNoticed) {
  for (const bool files : {true, false}) {
    int losses = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      WatchedDatabase database(options_of(Duplicates::kAll, 1));
      RandomRows random(seed, false);
      if (files) database.disk().disk().skip_file_sync(true);
      if (!files) database.disk().disk().skip_folder_sync(true);
      ASSERT_TRUE(database.open());
      database.arm(Mode::kPowerCut, 40 + random.below(100), seed);
      while (!database.is_struck()) {
        [[maybe_unused]] const Status inserted = database.insert(random.table(), random.rows(), Durability::kSync);
      }
      database.put_down();
      losses += !database.open() || !database.settle().empty() ? 1 : 0;
    }
    EXPECT_GT(losses, 10) << (files ? "files" : "folders");
  }
}

}  // namespace
}  // namespace marigram::db::testing
