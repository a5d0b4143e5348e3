// Holds the grid to 128-bit arithmetic over whole domains: an id that is off by one, or that wraps, puts a row into a
// bucket where no reader of the file looks for it.
#include "coverage/bucket_grid.h"

#include "base/bucket_width.h"
#include "model/index.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace marigram::coverage {
namespace {

__extension__ using Int128 = __int128;
using Unit = BucketWidth::Unit;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr std::array kUnits = {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano};

model::IndexKind time_index(std::uint32_t count, Unit unit) {
  return model::TimestampIndex{.bucket = {.count = count, .unit = unit}, .timezone = {}};
}

Instant at(std::int64_t seconds, std::uint32_t nanos = 0) {
  return {.seconds = seconds, .nanos = nanos};
}

Int128 floor_div(Int128 a, Int128 b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Values at the edges of the domain and of buckets around zero, and random ones of every magnitude.
std::vector<std::int64_t> values(std::mt19937_64& random, Int128 width) {
  std::vector<std::int64_t> result = {kMin, kMin + 1, kMax, kMax - 1};
  for (Int128 edge = -3 * width; edge <= 3 * width; edge += width) {
    for (int near = -1; near <= 1; ++near) {
      if (edge + near >= kMin && edge + near <= kMax) result.push_back(static_cast<std::int64_t>(edge + near));
    }
  }
  for (int i = 0; i < 200; ++i) result.push_back(static_cast<std::int64_t>(random()) >> (random() % 64));
  return result;
}

std::vector<model::IndexKind> time_indexes() {
  std::vector<model::IndexKind> kinds;
  for (const Unit unit : {Unit::kSecond, Unit::kMinute, Unit::kHour, Unit::kDay}) {
    for (const std::uint32_t count : {1u, 7u, 90u, 4'294'967'295u}) kinds.push_back(time_index(count, unit));
  }
  return kinds;
}

TEST(BucketGrid, V7TimeIdsInEveryUnit) {
  std::mt19937_64 random(1);
  for (const model::IndexKind& kind : time_indexes()) {
    const BucketGrid grid(Dialect::kV7, kind);
    for (const TimeUnit unit : kUnits) {
      const Int128 width = Int128{grid.width()} * units_per_second(unit);
      const std::vector<std::int64_t> column = values(random, width);
      std::vector<std::uint64_t> ids(column.size());
      ASSERT_TRUE(grid.ids_of(column, unit, ids));
      for (std::size_t i = 0; i < column.size(); ++i) {
        const std::uint64_t want = static_cast<std::uint64_t>(floor_div(column[i], width)) ^ kSignBit;
        ASSERT_EQ(ids[i], want) << column[i] << time_unit_name(unit) << " in " << model::format_bucket(kind);
        ASSERT_EQ(grid.id_of(Instant::from_units(column[i], unit)).value(), want);
      }
    }
  }
}

TEST(BucketGrid, V1TimeIdsClampBefore1970AndEndAt32Bits) {
  std::mt19937_64 random(2);
  for (const model::IndexKind& kind : time_indexes()) {
    const BucketGrid grid(Dialect::kV1, kind);
    for (const TimeUnit unit : kUnits) {
      const Int128 width = Int128{grid.width()} * units_per_second(unit);
      for (const std::int64_t value : values(random, width)) {
        const Int128 want = std::max<Int128>(floor_div(value, width), 0);
        std::uint64_t id = 0;
        const Status bulk = grid.ids_of({&value, 1}, unit, {&id, 1});
        const auto single = grid.id_of(Instant::from_units(value, unit));
        ASSERT_EQ(bool(bulk), want <= 0xffff'ffff);
        ASSERT_EQ(bool(single), bool(bulk));
        if (!bulk) continue;
        ASSERT_EQ(id, static_cast<std::uint64_t>(want));
        ASSERT_EQ(*single, id);
      }
    }
  }
}

TEST(BucketGrid, V1OverflowNamesTheBucket) {
  const BucketGrid grid(Dialect::kV1, time_index(1, Unit::kSecond));
  EXPECT_EQ(grid.id_of(at(0xffff'ffff, 999'999'999)).value(), 0xffff'ffffu);
  for (const auto& failed : {grid.id_of(at(4'294'967'301)).error(), [&] {
                               const std::int64_t value = 4'294'967'301;
                               std::uint64_t id = 0;
                               return grid.ids_of({&value, 1}, TimeUnit::kSecond, {&id, 1}).error();
                             }()}) {
    EXPECT_EQ(failed.code, ErrorCode::kInvalidInput);
    EXPECT_EQ(
        failed.message,
        "cannot cover the bucket from 2106-02-07T06:28:21Z: bucket id 4294967301 does not fit a v1 table; want at most "
        "4294967295 (use wider buckets or the v7 dialect)");
  }
}

TEST(BucketGrid, Int64Ids) {
  std::mt19937_64 random(3);
  for (const std::uint64_t step :
       {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1'000'003}, kSignBit, UINT64_MAX}) {
    const BucketGrid grid(Dialect::kV7, model::Int64Index{step});
    const std::vector<std::int64_t> column = values(random, step);
    std::vector<std::uint64_t> ids(column.size());
    ASSERT_TRUE(grid.ids_of(column, TimeUnit::kNano, ids));
    for (std::size_t i = 0; i < column.size(); ++i) {
      const std::uint64_t want = static_cast<std::uint64_t>(floor_div(column[i], step)) ^ kSignBit;
      ASSERT_EQ(ids[i], want) << column[i] << " / " << step;
      ASSERT_EQ(grid.id_of(column[i]).value(), want);
    }
  }
}

TEST(BucketGrid, UInt64Ids) {
  std::mt19937_64 random(4);
  for (const std::uint64_t step :
       {std::uint64_t{1}, std::uint64_t{10}, std::uint64_t{1'000'003}, kSignBit, UINT64_MAX}) {
    const BucketGrid grid(Dialect::kV7, model::UInt64Index{step});
    const std::vector<std::int64_t> column = values(random, 10);  // bit for bit, so beyond 2^63 too
    std::vector<std::uint64_t> ids(column.size());
    ASSERT_TRUE(grid.ids_of(column, TimeUnit::kNano, ids));
    for (std::size_t i = 0; i < column.size(); ++i) {
      ASSERT_EQ(ids[i], static_cast<std::uint64_t>(column[i]) / step);
      ASSERT_EQ(grid.id_of(static_cast<std::uint64_t>(column[i])).value(), ids[i]);
    }
  }
}

/// A value's place in its domain, in nanoseconds or steps.
Int128 place(const IndexValue& value) {
  if (const auto* instant = std::get_if<Instant>(&value))
    return Int128{instant->seconds} * 1'000'000'000 + instant->nanos;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return std::get<std::uint64_t>(value);
}

std::vector<std::pair<BucketGrid, std::vector<IndexValue>>> grids_and_values() {
  std::mt19937_64 random(5);
  std::vector<std::pair<BucketGrid, std::vector<IndexValue>>> all;
  for (const Dialect dialect : {Dialect::kV1, Dialect::kV7}) {
    for (const model::IndexKind& kind : time_indexes()) {
      std::vector<IndexValue> instants = {at(kMin), at(kMin, 1), at(kMax, 999'999'999), at(kMax)};
      for (const TimeUnit unit : kUnits) {
        for (const std::int64_t value : values(random, 3'600)) instants.emplace_back(Instant::from_units(value, unit));
      }
      all.emplace_back(BucketGrid(dialect, kind), instants);
    }
  }
  for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{10}, kSignBit, UINT64_MAX}) {
    std::vector<IndexValue> numbers;
    std::vector<IndexValue> naturals;
    for (const std::int64_t value : values(random, step)) {
      numbers.emplace_back(value);
      naturals.emplace_back(static_cast<std::uint64_t>(value));
    }
    all.emplace_back(BucketGrid(Dialect::kV7, model::Int64Index{step}), numbers);
    all.emplace_back(BucketGrid(Dialect::kV7, model::UInt64Index{step}), naturals);
  }
  return all;
}

TEST(BucketGrid, BucketsHoldTheirValuesAndTileTheDomain) {
  for (const auto& [grid, all] : grids_and_values()) {
    for (const IndexValue& value : all) {
      const auto id = grid.id_of(value);
      if (!id) continue;
      SCOPED_TRACE(format_index_value(value));
      ASSERT_LE(*id, grid.max_id());
      const IndexValue start = grid.start_of(*id);
      const IndexValue end = grid.end_of(*id);
      const bool before_first_of_v1 = *id == 0 && place(value) < place(start);
      ASSERT_TRUE(before_first_of_v1 || place(start) <= place(value));
      ASSERT_TRUE(place(value) < place(end) || *id == grid.max_id());
      ASSERT_EQ(grid.id_of(start).value(), *id);
      if (place(value) < place(end)) {  // not for the last value of an integer domain, which no end can lie beyond
        ASSERT_EQ(grid.last_id_before(end).value(), *id);
      }
      if (*id < grid.max_id()) {
        ASSERT_EQ(place(grid.start_of(*id + 1)), place(end));
        ASSERT_EQ(grid.id_of(end).value(), *id + 1);
      }
    }
  }
}

TEST(BucketGrid, LastIdBeforeIsThatOfThePredecessor) {
  for (const auto& [grid, all] : grids_and_values()) {
    for (const IndexValue& value : all) {
      const auto next = std::visit(
          [](auto held) -> std::optional<IndexValue> {
            if constexpr (std::is_same_v<decltype(held), Instant>) {
              if (held == at(kMax, 999'999'999)) return std::nullopt;
              return held.nanos < 999'999'999 ? at(held.seconds, held.nanos + 1) : at(held.seconds + 1);
            } else {
              if (held == std::numeric_limits<decltype(held)>::max()) return std::nullopt;
              return static_cast<decltype(held)>(held + 1);
            }
          },
          value);
      if (!next) continue;
      const auto want = grid.id_of(value);
      const auto got = grid.last_id_before(*next);
      ASSERT_EQ(bool(got), bool(want)) << format_index_value(value);
      ASSERT_EQ(got.value_or(0), want.value_or(0)) << format_index_value(value);
    }
  }
}

TEST(BucketGrid, NothingLiesBeforeTheFirstValue) {
  const BucketGrid time(Dialect::kV7, time_index(1, Unit::kHour));
  EXPECT_EQ(time.last_id_before(at(kMin)).error().code, ErrorCode::kInvalidInput);
  EXPECT_TRUE(time.last_id_before(at(kMin, 1)));
  const BucketGrid number(Dialect::kV7, model::Int64Index{10});
  EXPECT_EQ(number.last_id_before(kMin).error().code, ErrorCode::kInvalidInput);
  const BucketGrid natural(Dialect::kV7, model::UInt64Index{10});
  EXPECT_EQ(natural.last_id_before(std::uint64_t{0}).error().code, ErrorCode::kInvalidInput);
}

TEST(BucketGrid, RefusesValuesOfAnotherDomain) {
  const std::array<IndexValue, 3> one_of_each = {at(5), std::int64_t{5}, std::uint64_t{5}};
  const std::array<BucketGrid, 3> grids = {BucketGrid(Dialect::kV7, time_index(1, Unit::kHour)),
                                           BucketGrid(Dialect::kV7, model::Int64Index{1}),
                                           BucketGrid(Dialect::kV7, model::UInt64Index{1})};
  for (std::size_t g = 0; g < grids.size(); ++g) {
    for (std::size_t v = 0; v < one_of_each.size(); ++v) {
      const auto id = grids[g].id_of(one_of_each[v]);
      EXPECT_EQ(bool(id), g == v);
      if (id) continue;
      EXPECT_EQ(id.error().code, ErrorCode::kInvalidInput);
    }
  }
  EXPECT_EQ(grids[0].id_of(std::int64_t{5}).error().message,
            "cannot find the bucket of 5: wrong type of index value; got int64, want timestamp");
}

TEST(BucketGrid, LastIds) {
  EXPECT_EQ(BucketGrid(Dialect::kV1, time_index(1, Unit::kHour)).max_id(), 0xffff'ffffu);
  EXPECT_EQ(BucketGrid(Dialect::kV1, time_index(4'294'967'295, Unit::kDay)).max_id(),
            static_cast<std::uint64_t>(kMax / (86'400 * std::int64_t{4'294'967'295})));
  EXPECT_EQ(BucketGrid(Dialect::kV7, model::Int64Index{1}).max_id(), UINT64_MAX);
  EXPECT_EQ(BucketGrid(Dialect::kV7, model::UInt64Index{10}).max_id(), UINT64_MAX / 10);
}

}  // namespace
}  // namespace marigram::coverage
