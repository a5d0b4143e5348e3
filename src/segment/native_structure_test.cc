// The structure of native segments against what was written. Without this test a block could be looked for in the wrong
// place, a series get another's rows, and a damaged or malicious file be believed, or cost memory that it does not
// have.
#include "segment/native_structure.h"

#include "segment/native_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using codec::Buffer;
using ::testing::HasSubstr;

std::span<const std::byte> as_bytes(const Buffer& buffer) {
  return std::as_bytes(std::span(buffer));
}

Result<NativeStructure> read(const Buffer& file) {
  return read_native_structure(as_bytes(file), "cannot read x.mgs");
}

/// A file with a structure, and its blocks: bytes of no meaning, which the structure does not look at.
struct Sample {
  NativeStructure structure;
  std::uint64_t blocks_end = kNativeHeaderBytes;

  Buffer file() const {
    Buffer file = native_header();
    file.resize(blocks_end);
    const Buffer end = native_end(structure, blocks_end);
    file.insert(file.end(), end.begin(), end.end());
    return file;
  }
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  Sample sample() {
    Sample sample;
    NativeStructure& structure = sample.structure;
    structure.columns = {{"host", "string", NativeRole::kTag, ValueKind::kText, false},
                         {"core", "int64", NativeRole::kTag, ValueKind::kInt64, false},
                         {"time", "timestamp[ns]", NativeRole::kTime, ValueKind::kInt64, false},
                         {"usage", "float64", NativeRole::kField, ValueKind::kFloat64, true},
                         {"note", "string", NativeRole::kField, ValueKind::kText, true}};
    if (below(2) == 0) std::swap(structure.columns[0], structure.columns[1]);
    add_series(structure);
    add_pages(structure);
    for (const NativeColumn& column : structure.block_columns()) {
      structure.blocks.emplace_back(structure.pages());
      for (NativeBlock& block : structure.blocks.back()) block = any_block(column);
    }
    for (std::size_t page = 0; page < structure.pages(); ++page) {
      for (auto& column : structure.blocks) place(column[page], sample.blocks_end);
    }
    structure.presence.assign(below(20), 7);
    return sample;
  }

 private:
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }

  void add_series(NativeStructure& structure) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> tuples;
    const std::size_t count = below(20);
    const std::uint32_t hosts = 5;
    for (std::size_t i = 0; i < count; ++i) tuples.emplace(below(hosts), below(8));
    const bool host_first = structure.columns.front().name == "host";
    structure.tags.resize(2);
    NativeTag& host = structure.tags[host_first ? 0 : 1];
    NativeTag& core = structure.tags[host_first ? 1 : 0];
    static const std::vector<std::string> names = {"", "a", "b", "long enough to lie elsewhere", "z"};
    std::uint64_t end = 0;
    for (const auto& [first, second] : tuples) {
      host.of_series.push_back(host_first ? first : second % hosts);
      core.of_series.push_back(host_first ? second : first);
      structure.series_ends.push_back(end += below(4) == 0 ? 1 + below(30'000) : 1 + below(100));
    }
    if (!host_first) sort_series(structure);
    if (structure.series() == 0) return;
    host.values.texts.assign(names.begin(), names.end());
    for (std::int64_t i = -4; i < 4; ++i) core.values.cells.push_back(static_cast<std::uint64_t>(i));
    shrink(host, host.values.texts);
    shrink(core, core.values.cells);
  }

  /// Leaves the values that some series has.
  template <typename T>
  static void shrink(NativeTag& tag, std::vector<T>& values) {
    const std::set<std::uint32_t> used(tag.of_series.begin(), tag.of_series.end());
    std::vector<T> left;
    for (const std::uint32_t number : used) left.push_back(values[number]);
    for (std::uint32_t& number : tag.of_series) {
      number = static_cast<std::uint32_t>(std::distance(used.begin(), used.find(number)));
    }
    values = left;
  }

  /// Again in order, each once, after numbers were changed.
  static void sort_series(NativeStructure& structure) {
    std::set<std::pair<std::uint32_t, std::uint32_t>> tuples;
    for (std::size_t i = 0; i < structure.series(); ++i) {
      tuples.emplace(structure.tags[0].of_series[i], structure.tags[1].of_series[i]);
    }
    structure.tags[0].of_series.clear();
    structure.tags[1].of_series.clear();
    for (const auto& [first, second] : tuples) {
      structure.tags[0].of_series.push_back(first);
      structure.tags[1].of_series.push_back(second);
    }
    structure.series_ends.resize(tuples.size());
  }

  /// Long series in pages of their own, short ones together.
  void add_pages(NativeStructure& structure) {
    std::uint64_t begin = 0;
    for (std::size_t i = 0; i < structure.series();) {
      std::uint64_t end = structure.series_ends[i];
      if (end - begin > kPageRowsMax) {
        structure.page_ends.push_back(begin += kPageRowsMax);
        continue;
      }
      ++i;
      const bool whole = begin == (i < 2 ? 0 : structure.series_ends[i - 2]);
      while (whole && i < structure.series() && structure.series_ends[i] - begin <= kPageRowsMax && below(3) > 0) {
        end = structure.series_ends[i++];
      }
      structure.page_ends.push_back(begin = end);
    }
  }

  NativeBlock any_block(const NativeColumn& column) {
    NativeBlock block{.bytes = 1 + below(200), .checksum = static_cast<std::uint32_t>(engine_())};
    block.form = static_cast<BlockForm>(below(column.role == NativeRole::kTime ? 3 : 2));
    if (column.kind == ValueKind::kText) return block;
    block.statistics = {.first = engine_(), .last = 1, .least = 2, .largest = engine_(), .sum = engine_()};
    if (column.kind == ValueKind::kInt64) block.statistics.sum_rest = engine_();
    return block;
  }

  static void place(NativeBlock& block, std::uint64_t& end) {
    if (block.form == BlockForm::kPlain) end = (end + kPlainAlignment - 1) / kPlainAlignment * kPlainAlignment;
    block.offset = end;
    end += block.bytes;
  }

  std::mt19937_64 engine_;
};

void expect_same(const NativeStructure& a, const NativeStructure& b) {
  EXPECT_EQ(a.columns, b.columns);
  ASSERT_EQ(a.tags.size(), b.tags.size());
  for (std::size_t i = 0; i < a.tags.size(); ++i) {
    EXPECT_EQ(a.tags[i].values.texts, b.tags[i].values.texts);
    EXPECT_EQ(a.tags[i].values.cells, b.tags[i].values.cells);
    EXPECT_EQ(a.tags[i].of_series, b.tags[i].of_series);
  }
  EXPECT_EQ(a.series_ends, b.series_ends);
  EXPECT_EQ(a.page_ends, b.page_ends);
  EXPECT_EQ(a.blocks, b.blocks);
  EXPECT_EQ(a.presence, b.presence);
}

TEST(NativeStructure, ComesBack) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const Sample sample = Random(seed).sample();
    const Buffer file = sample.file();
    const auto back = read(file);
    ASSERT_TRUE(back) << back.error().message;
    expect_same(*back, sample.structure);
  }
}

/// Blocks aside, whose checksums are looked at when they are read.
TEST(NativeStructure, EveryDamageIsNoticed) {
  const Sample sample = Random(3).sample();
  const Buffer file = sample.file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto back = read(Buffer(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(back) << size;
    EXPECT_EQ(back.error().code, ErrorCode::kCorruption);
  }
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    if (bit / 8 >= kNativeHeaderBytes && bit / 8 < sample.blocks_end) continue;
    Buffer flipped = file;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto back = read(flipped);
    ASSERT_FALSE(back) << bit / 8;
    EXPECT_THAT(back.error().message, HasSubstr("cannot read x.mgs: "));
  }
}

/// Checksums do not help against who can compute them.
class Malicious : public ::testing::Test {
 protected:
  Sample sample = Random(3).sample();
  NativeStructure& structure = sample.structure;

  void expect_refused(const std::string& what) const {
    const auto back = read(sample.file());
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, ErrorCode::kCorruption);
    EXPECT_THAT(back.error().message, HasSubstr("its " + what + " make no sense"));
  }
};

TEST_F(Malicious, PagesAcrossSeries) {
  ASSERT_GT(structure.series(), 2U);
  structure.page_ends.front() += 1;
  expect_refused("pages");
}

TEST_F(Malicious, SeriesTwice) {
  for (NativeTag& tag : structure.tags) tag.of_series[1] = tag.of_series[0];
  expect_refused("series");
}

TEST_F(Malicious, SeriesWithoutAName) {
  structure.tags[0].of_series[0] = 1'000;
  expect_refused("series");
}

TEST_F(Malicious, BlocksOverOneAnother) {
  structure.blocks[1].front().offset -= 1;
  structure.blocks[1].front().form = BlockForm::kPacked;
  expect_refused("blocks");
}

TEST_F(Malicious, BlocksBehindTheEnd) {
  structure.blocks.back().back().bytes += 1;
  expect_refused("blocks");
}

TEST_F(Malicious, NullsWhereNoneMayBe) {
  structure.blocks[0].front().statistics.nulls = 1;
  expect_refused("blocks");
}

TEST_F(Malicious, TwoTimes) {
  for (NativeColumn& column : structure.columns) {
    if (column.role == NativeRole::kField) column = {"t", "int64", NativeRole::kTime, ValueKind::kInt64, false};
  }
  expect_refused("columns' names and types");
}

}  // namespace
}  // namespace marigram::segment
