// Holds the bucket set to std::set, and its files to roaring-rs: a wrong id here is an overlap that is missed or a gap
// that is not there, and a wrong byte is a file that the reference implementation calls by another name.
#include "coverage/bucket_set.h"

#include "coverage/run_cursor.h"
#include "coverage/test_data.h"
#include "coverage/test_sets.h"

#include <marigram/error.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace marigram::coverage {
namespace {

using test::Model;
using test::Random;

constexpr IdRange kAll{.first = 0, .last = UINT64_MAX};

std::vector<std::uint64_t> list(const Model& model) {
  return {model.begin(), model.end()};
}

std::optional<std::uint64_t> first(const Model& model) {
  return model.empty() ? std::nullopt : std::optional(*model.begin());
}

std::optional<std::uint64_t> last(const Model& model) {
  return model.empty() ? std::nullopt : std::optional(*model.rbegin());
}

Model cut(const Model& model, IdRange range) {
  if (range.first > range.last) return {};
  return {model.lower_bound(range.first), model.upper_bound(range.last)};
}

/// All that can be asked of one set.
void expect_equal(const BucketSet& set, const Model& model) {
  EXPECT_EQ(set.ids(), list(model));
  EXPECT_EQ(set.size(), model.size());
  EXPECT_EQ(set.empty(), model.empty());
  EXPECT_EQ(set.min(), first(model));
  EXPECT_EQ(set.max(), last(model));
  EXPECT_TRUE(set == test::set_of(model));
}

std::vector<IdRange> runs_down(const BucketSet& set, IdRange range) {
  std::vector<IdRange> runs;
  RunCursor cursor(set, range, RunCursor::Direction::kDown);
  while (const auto run = cursor.next()) runs.push_back(*run);
  std::ranges::reverse(runs);
  return runs;
}

/// A range that begins and ends at, before or behind ids of the set.
IdRange random_range(Random& random, const Model& model) {
  const auto pick = [&] {
    if (model.empty() || random.one_in(8)) return random.base();
    return *std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size()))) + random.below(5) - 2;
  };
  const std::uint64_t a = pick();
  const std::uint64_t b = pick();
  return {.first = std::min(a, b), .last = std::max(a, b)};
}

void expect_ranges(const BucketSet& set, const Model& model, IdRange range) {
  SCOPED_TRACE(testing::Message() << range.first << ".." << range.last);
  const std::vector<IdRange> runs = test::runs_of(list(cut(model, range)));
  EXPECT_EQ(set.runs_in(range), runs);
  EXPECT_EQ(runs_down(set, range), runs);
  EXPECT_EQ(set.size_in(range), cut(model, range).size());
  // The gaps are the rest: together with the runs they tile the range.
  std::vector<IdRange> tiles = set.gaps_in(range);
  for (const IdRange& gap : tiles) {
    EXPECT_TRUE(cut(model, gap).empty());
    EXPECT_LE(gap.first, gap.last);
  }
  tiles.insert(tiles.end(), runs.begin(), runs.end());
  std::ranges::sort(tiles, {}, &IdRange::first);
  ASSERT_FALSE(tiles.empty());
  EXPECT_EQ(tiles.front().first, range.first);
  EXPECT_EQ(tiles.back().last, range.last);
  for (std::size_t i = 1; i < tiles.size(); ++i) EXPECT_EQ(tiles[i - 1].last + 1, tiles[i].first);
}

std::vector<IdRange> random_runs(Random& random) {
  if (random.one_in(8)) return random.runs(random.base(), random.below(4), 15'000, 70'000);  // whole containers
  const std::uint64_t run_max = random.one_in(3) ? 1 : 1 + random.below(40);
  return random.runs(random.base(), random.below(40), run_max, 1 + random.below(random.one_in(4) ? 20'000 : 10));
}

TEST(BucketSet, AnswersAsAPlainSet) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<IdRange> runs = random_runs(random);
    const BucketSet set = test::set_of(runs);
    const Model model = test::model_of(runs);
    expect_equal(set, model);
    expect_ranges(set, model, kAll);
    for (int i = 0; i < 10; ++i) {
      const IdRange range = random_range(random, model);
      expect_ranges(set, model, range);
      EXPECT_EQ(set.contains(range.first), model.contains(range.first));
    }
  }
}

TEST(BucketSet, AnEmptyRangeHoldsNothing) {
  const BucketSet set = test::set_of(Model{1, 2, 3, UINT64_MAX});
  const IdRange empty{.first = 3, .last = 2};
  EXPECT_TRUE(set.runs_in(empty).empty());
  EXPECT_TRUE(runs_down(set, empty).empty());
  EXPECT_TRUE(set.gaps_in(empty).empty());
  EXPECT_EQ(set.size_in(empty), 0u);
  BucketSet none;
  none.add_range(empty);
  EXPECT_TRUE(none.empty());
}

TEST(BucketSet, SetOperationsAgreeWithPlainSets) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<IdRange> runs_a = random_runs(random);
    const std::vector<IdRange> runs_b = random_runs(random);
    const BucketSet a = test::set_of(runs_a);
    const BucketSet b = test::set_of(runs_b);
    const Model model_a = test::model_of(runs_a);
    const Model model_b = test::model_of(runs_b);

    Model common;
    std::ranges::set_intersection(model_a, model_b, std::inserter(common, common.end()));
    expect_equal(a.intersection(b), common);
    EXPECT_EQ(a.overlap_size(b), common.size());
    EXPECT_EQ(a.first_common(b), first(common));

    BucketSet united = a;
    united.unite(b);
    Model both = model_a;
    both.insert(model_b.begin(), model_b.end());
    expect_equal(united, both);

    BucketSet rest = a;
    rest.subtract(b);
    Model without;
    std::ranges::set_difference(model_a, model_b, std::inserter(without, without.end()));
    expect_equal(rest, without);
    expect_equal(a, model_a);  // its copies did not touch it
    EXPECT_EQ(a == b, model_a == model_b);
  }
}

TEST(BucketSet, AddManyTakesAnyOrderAndCountsTheNew) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    BucketSet set;
    Model model;
    for (int batch = 0; batch < 4; ++batch) {
      std::vector<std::uint64_t> ids;
      for (const IdRange& run : random_runs(random)) {
        for (std::uint64_t i = 0; i <= std::min<std::uint64_t>(run.last - run.first, 500); ++i) {
          ids.insert(ids.end(), 1 + random.below(3), run.first + i);  // equal ids follow one another in real columns
        }
      }
      if (random.one_in(2)) std::ranges::shuffle(ids, std::mt19937_64(seed));
      if (random.one_in(4)) std::ranges::reverse(ids);
      const std::size_t before = model.size();
      model.insert(ids.begin(), ids.end());
      EXPECT_EQ(set.add_many(ids), model.size() - before);
      expect_equal(set, model);
    }
  }
}

TEST(BucketSet, AddManyAtTheEndOfTheIdLine) {
  BucketSet set;
  const std::vector<std::uint64_t> ids = {UINT64_MAX - 1, UINT64_MAX, 0, 1, 2, 3, 4, UINT64_MAX};
  EXPECT_EQ(set.add_many(ids), 7u);
  expect_equal(set, Model(ids.begin(), ids.end()));
  EXPECT_EQ(set.add_many({}), 0u);
}

TEST(BucketSet, IsAValue) {
  BucketSet a = test::set_of(Model{1, 5});
  BucketSet b = a;
  b.add(9);
  expect_equal(a, {1, 5});
  BucketSet c = std::move(b);
  expect_equal(c, {1, 5, 9});
  a = c;
  a.subtract(a);
  expect_equal(a, {});
  c.unite(c);
  expect_equal(c, {1, 5, 9});
  const BucketSet& self = c;
  c = self;
  expect_equal(c, {1, 5, 9});
  b = std::move(c);  // a moved-from set may be assigned to
  expect_equal(b, {1, 5, 9});
}

// ---- files ----

/// One 32-bit bitmap without run containers, straight from the format's specification.
std::string plain_bitmap_bytes(const Model& low_ids) {
  std::string out;
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  };
  std::map<std::uint64_t, std::vector<std::uint64_t>> containers;
  for (const std::uint64_t id : low_ids) containers[id >> 16].push_back(id & 0xffff);
  put(12'346, 4);
  put(containers.size(), 4);
  for (const auto& [key, ids] : containers) {
    put(key, 2);
    put(ids.size() - 1, 2);
  }
  std::uint64_t offset = 8 + 8 * containers.size();
  for (const auto& [key, ids] : containers) {
    put(offset, 4);
    offset += ids.size() <= 4'096 ? 2 * ids.size() : 8'192;
  }
  for (const auto& [key, ids] : containers) {
    if (ids.size() <= 4'096) {
      for (const std::uint64_t id : ids) put(id, 2);
    } else {
      std::vector<std::uint64_t> words(1'024);
      for (const std::uint64_t id : ids) words[id / 64] |= std::uint64_t{1} << (id % 64);
      for (const std::uint64_t word : words) put(word, 8);
    }
  }
  return out;
}

std::string plain_treemap_bytes(const Model& ids) {
  std::map<std::uint64_t, Model> parts;
  for (const std::uint64_t id : ids) parts[id >> 32].insert(id & 0xffff'ffff);
  std::string out;
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(parts.size() >> (8 * i)));
  for (const auto& [high, part] : parts) {
    for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(high >> (8 * i)));
    out += plain_bitmap_bytes(part);
  }
  return out;
}

TEST(BucketSetFiles, EmptySets) {
  EXPECT_EQ(BucketSet().to_v1_bytes(), std::string("\x3a\x30\0\0\0\0\0\0", 8));
  EXPECT_EQ(BucketSet().to_v7_bytes(), std::string(8, '\0'));
  EXPECT_EQ(BucketSet().to_v7_run_optimised_bytes(), std::string(8, '\0'));
  EXPECT_TRUE(BucketSet::from_v1_bytes(BucketSet().to_v1_bytes())->empty());
  EXPECT_TRUE(BucketSet::from_v7_bytes(BucketSet().to_v7_bytes())->empty());
}

TEST(BucketSetFiles, FollowTheSpecificationAndReadBack) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<IdRange> runs = random_runs(random);
    const BucketSet set = test::set_of(runs);
    const Model model = test::model_of(runs);
    EXPECT_EQ(set.to_v7_bytes(), plain_treemap_bytes(model));
    EXPECT_TRUE(BucketSet::from_v7_bytes(set.to_v7_bytes()).value() == set);
    EXPECT_TRUE(BucketSet::from_v7_bytes(set.to_v7_run_optimised_bytes()).value() == set);
    EXPECT_LE(set.to_v7_run_optimised_bytes().size(), set.to_v7_bytes().size());

    Model low;
    for (const std::uint64_t id : model) low.insert(id & 0xffff'ffff);
    EXPECT_EQ(test::set_of(low).to_v1_bytes(), plain_bitmap_bytes(low));
    EXPECT_EQ(BucketSet::from_v1_bytes(plain_bitmap_bytes(low))->ids(), list(low));
  }
}

TEST(BucketSetFiles, BytesDoNotDependOnHistory) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<IdRange> runs = random_runs(random);
    const BucketSet by_range = test::set_of(runs);
    std::vector<std::uint64_t> ids = by_range.ids();
    std::ranges::shuffle(ids, std::mt19937_64(seed));
    BucketSet by_id;
    for (const std::uint64_t id : ids) by_id.add(id);
    BucketSet by_union = BucketSet::from_v7_bytes(by_range.to_v7_run_optimised_bytes()).value();
    by_union.unite(by_id);
    for (const BucketSet* other : {&by_id, &by_union}) {
      EXPECT_EQ(other->to_v7_bytes(), by_range.to_v7_bytes());
      EXPECT_EQ(other->to_v7_run_optimised_bytes(), by_range.to_v7_run_optimised_bytes());
    }
  }
}

std::string hex(const std::string& bytes) {
  std::ostringstream out;
  for (const char c : bytes) {
    out << "0123456789abcdef"[static_cast<unsigned char>(c) >> 4]
        << "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out.str();
}

// Lines `ids | treemap in hex | run-optimised treemap in hex`, made with roaring-rs 0.11.5 the way the reference
// implementation writes v7 coverage. Rich in containers of which both forms are equally long.
TEST(BucketSetFiles, AgreeWithRoaringRs) {
  std::istringstream lines(
      test::read_file(std::filesystem::path(MARIGRAM_SOURCE_DIR) / "tests" / "data" / "roaring-rs-0.11.5.txt"));
  int tested = 0;
  for (std::string line; std::getline(lines, line);) {
    SCOPED_TRACE(line);
    const std::size_t bar = line.find(" | ");
    const std::size_t bar2 = line.find(" | ", bar + 3);
    ASSERT_NE(bar2, std::string::npos);
    BucketSet set;
    std::istringstream runs(line.substr(0, bar));
    for (std::string run; runs >> run;) {
      const std::size_t dash = run.find('-');
      const std::uint64_t from = std::stoull(run);
      set.add_range({.first = from, .last = dash == std::string::npos ? from : std::stoull(run.substr(dash + 1))});
    }
    EXPECT_EQ(hex(set.to_v7_bytes()), line.substr(bar + 3, bar2 - bar - 3));
    EXPECT_EQ(hex(set.to_v7_run_optimised_bytes()), line.substr(bar2 + 3));
    ++tested;
  }
  EXPECT_GE(tested, 100);
}

// ---- the Roaring project's own test files, outside this repository ----

class RoaringSuite : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(MARIGRAM_SOURCE_DIR) / ".." / "shared" / "suites" / "roaring";
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no Roaring suite beside the repository";
  }
  std::filesystem::path folder_;
};

TEST_F(RoaringSuite, Bitmap32WithAndWithoutRuns) {
  BucketSet want;
  for (std::uint64_t id = 0; id < 100'000; id += 1'000) want.add(id);
  for (std::uint64_t id = 100'000; id < 200'000; ++id) want.add(3 * id);
  want.add_range({.first = 700'000, .last = 799'999});
  const std::string with = test::read_file(folder_ / "testdata" / "bitmapwithruns.bin");
  const std::string without = test::read_file(folder_ / "testdata" / "bitmapwithoutruns.bin");
  EXPECT_TRUE(BucketSet::from_v1_bytes(with).value() == want);
  EXPECT_TRUE(BucketSet::from_v1_bytes(without).value() == want);
  EXPECT_EQ(want.to_v1_bytes(), without);
  EXPECT_EQ(want.to_v7_run_optimised_bytes().substr(12), with);
}

TEST_F(RoaringSuite, PortableBitmap64) {
  BucketSet want;
  for (const std::uint64_t base : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
    want.add_range({.first = base, .last = base + 0x9000});
    want.add_range({.first = base + 0xa000, .last = base + 0x10000});
    want.add(base + 0x20000);
    want.add(base + 0x20005);
    for (std::uint64_t i = 0; i < 0x10000; i += 2) want.add(base + 0x80000 + i);
  }
  const std::string bytes = test::read_file(folder_ / "testdata64" / "portable_bitmap64.bin");
  EXPECT_TRUE(BucketSet::from_v7_bytes(bytes).value() == want);
  EXPECT_EQ(want.to_v7_run_optimised_bytes(), bytes);
}

// Written by CRoaring's C++ class Roaring64Map, in its portable form: the same treemap.
TEST_F(RoaringSuite, Bitmap64OfRoaring64Map) {
  BucketSet want;
  for (std::uint64_t id = 0; id < 65'536; id += 2) want.add(id);
  want.add_range({.first = std::uint64_t{1} << 32, .last = (std::uint64_t{1} << 32) + 999'999});
  want.add(std::uint64_t{1} << 48);
  const std::string bytes = test::read_file(folder_ / "testdata64" / "bitmap64.bin");
  EXPECT_TRUE(BucketSet::from_v7_bytes(bytes).value() == want);
}

}  // namespace
}  // namespace marigram::coverage
