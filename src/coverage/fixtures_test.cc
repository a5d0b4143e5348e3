// Holds our coverage to the tables that both reference implementations wrote: without it we could read back what we
// wrote ourselves and yet be unable to share a table with anyone.
#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "coverage/coverage_map.h"
#include "coverage/queries.h"
#include "coverage/test_data.h"

#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace marigram::coverage {
namespace {

using nlohmann::json;
using test::Fixture;

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

CoverageMap read_coverage(const Fixture& fixture, const std::string& file) {
  auto map = decode(fixture.dialect, fixture.index, test::read_file(fixture.folder / file));
  EXPECT_TRUE(map) << fixture.folder << " " << file << ": " << map.error().message;
  return map.value_or(CoverageMap{});
}

/// The union of the live segments' coverage: what the table's own file must hold too.
std::optional<CoverageMap> read_live(const Fixture& fixture) {
  CoverageMap all;
  for (const auto& [segment, file] : fixture.live_coverage) {
    if (!std::filesystem::exists(fixture.folder / file)) return std::nullopt;
    unite(all, read_coverage(fixture, file));
  }
  return all;
}

class Fixtures : public testing::Test {
 protected:
  const std::vector<Fixture> fixtures_ = test::read_fixtures();
};

TEST_F(Fixtures, AreAllThere) {
  EXPECT_EQ(fixtures_.size(), 16u + 21u);
}

TEST_F(Fixtures, FilesDecodeAndEncodeToTheSameBytesAndName) {
  int files = 0;
  for (const Fixture& fixture : fixtures_) {
    for (const std::string& file : fixture.coverage_files()) {
      if (fixture.is_damaged(file)) continue;
      SCOPED_TRACE(fixture.folder.string() + " " + file);
      const std::string bytes = test::read_file(fixture.folder / file);
      EXPECT_EQ(encode(fixture.dialect, fixture.index, read_coverage(fixture, file)), bytes);

      const bool is_segment = file.starts_with("_coverage/segments/");
      const auto hash = hash_in_path(file);
      ASSERT_TRUE(hash);
      EXPECT_EQ(*hash,
                file_hash(fixture.dialect, fixture.index, is_segment ? FileRole::kSegment : FileRole::kTable, bytes));

      const std::string stem = std::filesystem::path(file).stem().string();
      const std::string attempt = fixture.dialect == Dialect::kV1 ? "" : stem.substr(stem.size() - 36);
      EXPECT_EQ(is_segment ? segment_file_path(fixture.dialect, *hash, attempt)
                           : table_file_path(fixture.dialect, std::stoull(stem), *hash, attempt),
                file);
      ++files;
    }
  }
  EXPECT_GE(files, 100);
}

TEST_F(Fixtures, DamagedFilesDoNotMatchTheirName) {
  int files = 0;
  for (const Fixture& fixture : fixtures_) {
    for (const std::string& file : fixture.coverage_files()) {
      if (!fixture.is_damaged(file)) continue;
      SCOPED_TRACE(fixture.folder.string() + " " + file);
      const std::string bytes = test::read_file(fixture.folder / file);
      EXPECT_FALSE(decode(fixture.dialect, fixture.index, bytes));
      EXPECT_NE(hash_in_path(file), file_hash(fixture.dialect, fixture.index, FileRole::kTable, bytes));
      ++files;
    }
  }
  EXPECT_EQ(files, 3);
}

TEST_F(Fixtures, TableFilesHoldTheUnionOfLiveSegments) {
  int tables = 0;
  for (const Fixture& fixture : fixtures_) {
    if (fixture.snapshot.empty() || fixture.is_damaged(fixture.snapshot)) continue;
    if (!std::filesystem::exists(fixture.folder / fixture.snapshot)) continue;
    SCOPED_TRACE(fixture.folder.string());
    const auto live = read_live(fixture);
    ASSERT_TRUE(live);
    EXPECT_TRUE(read_coverage(fixture, fixture.snapshot) == *live);
    ++tables;
  }
  EXPECT_GE(tables, 20);
}

TEST_F(Fixtures, V1BucketIds) {
  int tables = 0;
  for (const Fixture& fixture : fixtures_) {
    if (fixture.dialect != Dialect::kV1 || !fixture.expected.contains("bucket_ids")) continue;
    SCOPED_TRACE(fixture.folder.string());
    EXPECT_EQ(across_series(read_coverage(fixture, fixture.snapshot)).ids(),
              fixture.expected["bucket_ids"].get<std::vector<std::uint64_t>>());
    ++tables;
  }
  EXPECT_EQ(tables, 7);
}

std::vector<std::uint64_t> read_ids(const json& list) {
  std::vector<std::uint64_t> ids;
  for (const json& id : list)
    ids.push_back(id.is_string() ? std::stoull(id.get<std::string>()) : id.get<std::uint64_t>());
  return ids;
}

/// A series as the fixtures spell it: a JSON array of its values.
std::string series_text(const SeriesKey& series) {
  json list = json::array();
  for (const TagValue& value : series) std::visit([&](const auto& held) { list.push_back(held); }, value);
  std::string text = list.dump();
  for (std::size_t at = text.find(','); at != std::string::npos; at = text.find(',', at + 2)) text.insert(at + 1, " ");
  return text;
}

TEST_F(Fixtures, V7SeriesAndIds) {
  std::size_t series = 0;
  for (const Fixture& fixture : fixtures_) {
    if (fixture.dialect != Dialect::kV7) continue;
    SCOPED_TRACE(fixture.folder.string());
    const auto live = read_live(fixture);
    ASSERT_TRUE(live);
    std::map<std::string, std::vector<std::uint64_t>> got;
    for (const auto& [key, set] : *live) got[series_text(key)] = set.ids();
    std::map<std::string, std::vector<std::uint64_t>> want;
    for (const auto& [key, ids] : fixture.expected["api"]["entities"].items()) {
      want[key] = read_ids(ids);
      std::ranges::sort(want[key]);
    }
    EXPECT_EQ(got, want);
    series += want.size();
  }
  EXPECT_GE(series, 20u);
}

TEST_F(Fixtures, V7GridGivesTheIdsOfIntegerKeys) {
  int keys = 0;
  for (const Fixture& fixture : fixtures_) {
    if (!fixture.expected.contains("keys")) continue;
    const BucketGrid grid(Dialect::kV7, fixture.index.kind);
    const std::vector<std::uint64_t> want = read_ids(fixture.expected["interval_ids"]);
    for (std::size_t i = 0; i < want.size(); ++i) {
      const auto text = fixture.expected["keys"][i].get<std::string>();
      const bool is_signed = fixture.name == "index_int64";
      const IndexValue key =
          is_signed ? IndexValue(std::int64_t{std::stoll(text)}) : IndexValue(std::uint64_t{std::stoull(text)});
      EXPECT_EQ(grid.id_of(key).value(), want[i]) << text;
      ++keys;
    }
  }
  EXPECT_EQ(keys, 10);
}

// ---- the answers of the references' own query functions ----

IdRange read_range(const json& pair) {
  return {.first = pair[0].get<std::uint64_t>(), .last = pair[1].get<std::uint64_t>()};
}

Instant seconds(const json& value) {
  return {.seconds = value.get<std::int64_t>()};
}

/// Checks one element of `api.ranges`.
void check_range(const json& want, const BucketGrid& grid, const BucketSet& present) {
  SCOPED_TRACE(want.dump());
  const IdRange range{.first = grid.id_of(seconds(want["start"])).value(),
                      .last = grid.last_id_before(seconds(want["end"])).value()};
  const RangeCoverage got = cover_range(present, range, nullptr, 1);
  EXPECT_NEAR(got.ratio(), want["coverage_ratio"].get<double>(), 1e-12);
  EXPECT_EQ(got.max_gap, want["max_gap_len"].get<std::uint64_t>());
  if (!want.contains("missing_runs")) return;
  EXPECT_EQ(got.expected, want["expected_buckets"].get<std::uint64_t>());
  std::vector<IdRange> gaps;
  for (const json& run : want["missing_runs"]) gaps.push_back(read_range(run));
  EXPECT_EQ(got.gaps, gaps);
  EXPECT_EQ(present.gaps_in(range), gaps);
  const json& run_of_3 = want["last_run_with_min_len_3"];
  std::optional<IdRange> last_run;
  for (const IdRange& run : present.runs_in(range)) {
    if (run.count() >= 3) last_run = run;
  }
  EXPECT_EQ(last_run, run_of_3.is_null() ? std::nullopt : std::optional(read_range(run_of_3)));
}

/// Checks one element of `api.last_fully_covered_window`. `xor_mask` turns ids into what it tells, ordinals in v7.
void check_window(const json& want, const BucketGrid& grid, const BucketSet& present, std::uint64_t xor_mask) {
  SCOPED_TRACE(want.dump());
  const std::uint64_t last = grid.last_id_before(seconds(want["ts_end"])).value();
  EXPECT_EQ(last, want.value("end_bucket", last));
  const json& window = want.contains("window") ? want["window"] : want["window_ordinals"];
  auto got = last_covered_window(present, last, want["len"].get<std::uint64_t>(), nullptr);
  if (got) got = IdRange{.first = got->first ^ xor_mask, .last = got->last ^ xor_mask};
  EXPECT_EQ(got, window.is_null() ? std::nullopt : std::optional(read_range(window)));
}

void check_queries(const json& api, const BucketGrid& grid, const BucketSet& present, std::uint64_t xor_mask,
                   int& asked) {
  for (const json& range : api["ranges"]) check_range(range, grid, present);
  for (const json& window : api["last_fully_covered_window"]) check_window(window, grid, present, xor_mask);
  asked += static_cast<int>(api["ranges"].size() + api["last_fully_covered_window"].size());
}

TEST_F(Fixtures, V1QueriesAnswerAsTheReference) {
  int asked = 0;
  for (const Fixture& fixture : fixtures_) {
    const json& api = fixture.expected["api"];
    if (fixture.dialect != Dialect::kV1 || api.contains("error")) continue;
    SCOPED_TRACE(fixture.folder.string());
    const auto live = read_live(fixture);
    ASSERT_TRUE(live);
    const BucketSet present = across_series(*live);
    EXPECT_EQ(present.size(), api["cardinality"].get<std::uint64_t>());
    check_queries(api, BucketGrid(fixture.dialect, fixture.index.kind), present, 0, asked);
  }
  EXPECT_GE(asked, 250);
}

TEST_F(Fixtures, V7QueriesAnswerAsTheReference) {
  int asked = 0;
  for (const Fixture& fixture : fixtures_) {
    const json& api = fixture.expected["api"];
    if (fixture.dialect != Dialect::kV7 || !api.contains("queries")) continue;
    SCOPED_TRACE(fixture.folder.string());
    const auto live = read_live(fixture);
    ASSERT_TRUE(live);
    for (const auto& [key, set] : *live) {
      SCOPED_TRACE(series_text(key));
      ASSERT_TRUE(api["queries"].contains(series_text(key)));
      check_queries(api["queries"][series_text(key)], BucketGrid(fixture.dialect, fixture.index.kind), set, kSignBit,
                    asked);
    }
  }
  EXPECT_GE(asked, 150);
}

}  // namespace
}  // namespace marigram::coverage
