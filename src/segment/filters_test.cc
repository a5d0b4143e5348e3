// Without these tests a row at the very edge of a range, or a tag that merely looks like the wanted one, could be lost
// or come along.
#include "model/index.h"
#include "model/schema.h"
#include "segment/index_bounds.h"
#include "segment/row_range.h"
#include "segment/selection.h"
#include "segment/tag_filter.h"
#include "segment/test_rows.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::segment::testing {
namespace {

using model::TypeId;

std::int64_t any_raw(Random& random) {
  switch (random() % 6) {
    case 0:
      return INT64_MIN;
    case 1:
      return INT64_MAX;
    case 2:
      return static_cast<std::int64_t>(random());
    default:
      return static_cast<std::int64_t>(random() % 7) - 3;
  }
}

IndexValue as_value(std::int64_t raw, const model::DataType& type) {
  if (type.id == TypeId::kInt64) return raw;
  if (type.id == TypeId::kUInt64) return static_cast<std::uint64_t>(raw);
  return Instant::from_units(raw, type.unit);
}

IndexValue any_bound(Random& random, const model::DataType& type) {
  IndexValue value = as_value(any_raw(random), type);
  if (auto* instant = std::get_if<Instant>(&value)) {
    if (random() % 4 == 0) instant->seconds = any_raw(random);
    if (random() % 2 == 0) instant->nanos = static_cast<std::uint32_t>(random() % 1'000'000'000);
  }
  return value;
}

model::IndexKind kind_of(const model::DataType& type) {
  if (type.id == TypeId::kInt64) return model::Int64Index{};
  if (type.id == TypeId::kUInt64) return model::UInt64Index{};
  return model::TimestampIndex{};
}

TEST(IndexBounds, SelectExactlyTheValuesInRange) {
  const model::DataType types[] = {{.id = TypeId::kTimestamp, .unit = TimeUnit::kMilli},
                                   {.id = TypeId::kTimestamp, .unit = TimeUnit::kMicro},
                                   {.id = TypeId::kTimestamp, .unit = TimeUnit::kNano},
                                   {.id = TypeId::kInt64},
                                   {.id = TypeId::kUInt64}};
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    const model::DataType& type = types[random() % 5];
    std::optional<IndexValue> from;
    std::optional<IndexValue> to;
    if (random() % 4 != 0) from = any_bound(random, type);
    if (random() % 4 != 0) to = any_bound(random, type);
    const IndexBounds bounds = value_of(IndexBounds::make(kind_of(type), type, from, to));
    const auto wanted = [&](std::int64_t raw) {
      const IndexValue value = as_value(raw, type);
      return (!from || value >= *from) && (!to || value < *to);
    };
    std::int64_t low = any_raw(random);
    std::int64_t high = any_raw(random);
    for (const std::int64_t raw : {low, high, static_cast<std::int64_t>(random() % 9) - 4}) {
      ASSERT_EQ(bounds.intersects(raw, raw), wanted(raw)) << raw;
      ASSERT_EQ(bounds.contains(raw, raw), wanted(raw)) << raw;
      const bool by_span = !bounds.none() && static_cast<std::uint64_t>(raw) - bounds.first() <= bounds.span();
      ASSERT_EQ(by_span, wanted(raw)) << raw;
    }
    if (as_value(high, type) < as_value(low, type)) std::swap(low, high);
    // A range that holds a wanted value intersects; one whose ends are both wanted is contained.
    if (wanted(low) || wanted(high)) {
      EXPECT_TRUE(bounds.intersects(low, high));
    }
    EXPECT_EQ(bounds.contains(low, high), wanted(low) && wanted(high));
  }
}

TEST(IndexBounds, RefuseBoundsOfAnotherDomain) {
  const model::DataType micro{.id = TypeId::kTimestamp, .unit = TimeUnit::kMicro};
  EXPECT_EQ(IndexBounds::make(model::TimestampIndex{}, micro, std::int64_t{1}, {}).error().code,
            ErrorCode::kInvalidInput);
  EXPECT_EQ(IndexBounds::make(model::Int64Index{}, {.id = TypeId::kInt64}, {}, Instant{}).error().code,
            ErrorCode::kInvalidInput);
  EXPECT_EQ(IndexBounds::make(model::UInt64Index{}, {.id = TypeId::kUInt64}, std::int64_t{1}, {}).error().code,
            ErrorCode::kInvalidInput);
}

std::vector<std::uint8_t> kept_by(const TagFilter& filter, const std::shared_ptr<arrow::Array>& values) {
  std::vector<std::uint8_t> keep(static_cast<std::size_t>(values->length()), 1);
  filter.apply(*values, keep);
  return keep;
}

TEST(TagFilter, ComparesTextOfEveryType) {
  Random random(6);
  for (int i = 0; i < 300; ++i) {
    const TypeId ids[] = {TypeId::kUtf8, TypeId::kInt32, TypeId::kInt64, TypeId::kUInt64};
    const model::DataType type{.id = ids[i % 4]};
    const auto values = random_array(random, type, 40, 5);
    const auto text = [&](std::int64_t row) -> std::string {
      switch (type.id) {
        case TypeId::kInt32:
          return std::to_string(static_cast<const arrow::Int32Array&>(*values).Value(row));
        case TypeId::kInt64:
          return std::to_string(static_cast<const arrow::Int64Array&>(*values).Value(row));
        case TypeId::kUInt64:
          return std::to_string(static_cast<const arrow::UInt64Array&>(*values).Value(row));
        default:
          return static_cast<const arrow::StringArray&>(*values).GetString(row);
      }
    };
    TagPredicate predicate{.column = "x", .values = {"07", "+1", "-0", " 1", "1e2", "99999999999999999999"}};
    for (int k = 0; k < i % 5; ++k) {
      const auto row = static_cast<std::int64_t>(random() % 40);
      if (values->IsValid(row)) predicate.values.push_back(text(row));
    }
    if (i % 7 == 0) predicate.values = {predicate.values.back()};
    const TagFilter filter = value_of(TagFilter::make(predicate, type));
    std::vector<std::uint8_t> expected;
    for (std::int64_t row = 0; row < 40; ++row) {
      const bool wanted =
          values->IsValid(row) && std::ranges::find(predicate.values, text(row)) != predicate.values.end();
      expected.push_back(wanted ? 1 : 0);
    }
    EXPECT_EQ(kept_by(filter, values), expected);
    if (type.id != TypeId::kUtf8) continue;
    EXPECT_EQ(kept_by(filter, arrow::compute::DictionaryEncode(arrow::Datum(values))->make_array()), expected);
  }
}

TEST(TagFilter, JudgesRangesOfStatistics) {
  const TagFilter text = value_of(TagFilter::make({.column = "x", .values = {"m", "b"}}, {.id = TypeId::kUtf8}));
  EXPECT_TRUE(text.may_match("a", "c"));
  EXPECT_TRUE(text.may_match("m", "m"));
  EXPECT_FALSE(text.may_match("c", "l"));
  EXPECT_FALSE(text.may_match("n", "z"));
  const TagFilter number = value_of(TagFilter::make({.column = "x", .values = {"-5"}}, {.id = TypeId::kInt32}));
  EXPECT_TRUE(number.may_match(std::int64_t{-5}, std::int64_t{0}));
  EXPECT_FALSE(number.may_match(std::int64_t{-4}, std::int64_t{0}));
  const TagFilter large =
      value_of(TagFilter::make({.column = "x", .values = {"18446744073709551615"}}, {.id = TypeId::kUInt64}));
  EXPECT_TRUE(large.may_match(std::int64_t{0}, std::int64_t{-1}));  // 0 to 2^64 - 1
  EXPECT_FALSE(large.may_match(std::int64_t{0}, std::int64_t{5}));
}

RowRanges ranges_of(const std::vector<bool>& rows) {
  RowRanges ranges;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]) append_range(ranges, {static_cast<std::int64_t>(i), static_cast<std::int64_t>(i) + 1});
  }
  return ranges;
}

TEST(RowRanges, BehaveLikeSetsOfRows) {
  Random random(7);
  for (int i = 0; i < 500; ++i) {
    std::vector<bool> a(30);
    std::vector<bool> b(30);
    std::vector<bool> both(30);
    for (std::size_t row = 0; row < 30; ++row) {
      a[row] = random() % 3 != 0;
      b[row] = random() % 3 != 0;
      both[row] = a[row] && b[row];
    }
    EXPECT_EQ(intersect(ranges_of(a), ranges_of(b)), ranges_of(both));
    EXPECT_EQ(count_rows(ranges_of(a)), std::ranges::count(a, true));
    const auto first = static_cast<std::int64_t>(random() % 15);
    const auto end = first + static_cast<std::int64_t>(random() % 15);
    std::vector<bool> clipped(30);
    std::int64_t number = 0;
    for (std::size_t row = 0; row < 30; ++row) {
      if (!a[row]) continue;
      clipped[row] = number >= first && number < end;
      ++number;
    }
    EXPECT_EQ(clip(ranges_of(a), first, end), ranges_of(clipped));
  }
}

TEST(Selection, GivesTheRowsThatWereKept) {
  Random random(8);
  for (int i = 0; i < 300; ++i) {
    const std::int64_t rows = 1 + static_cast<std::int64_t>(random() % 300);
    const auto values = random_array(random, {.id = TypeId::kUtf8}, rows, 4);
    Selection selection(rows);
    std::vector<bool> kept(static_cast<std::size_t>(rows));
    const std::uint64_t change = 1 + random() % 200;  // mean length of a run
    bool keep = random() % 2 == 0;
    for (std::size_t row = 0; row < kept.size(); ++row) {
      if (random() % change == 0) keep = !keep;
      kept[row] = keep;
      selection.bytes()[row] = keep ? 1 : 0;
    }
    selection.seal();
    const auto check = [&](const Selection& part, std::int64_t begin, std::int64_t end) {
      arrow::Int64Builder indices;
      for (std::int64_t row = begin; row < end; ++row) {
        if (kept[static_cast<std::size_t>(row)]) {
          EXPECT_TRUE(indices.Append(row).ok());
        }
      }
      const auto expected = arrow::compute::Take(*values, **indices.Finish()).ValueOrDie();
      EXPECT_EQ(part.count(), expected->length());
      const auto all = values->Slice(begin + part.bounds().begin, part.bounds().rows());
      EXPECT_TRUE(value_of(part.apply(all, "cannot read x"))->Equals(expected));
      if (part.runs()) {
        EXPECT_EQ(*part.runs(), ranges_of(std::vector<bool>(kept.begin() + begin, kept.begin() + end)));
      }
      if (part.runs()) {
        EXPECT_LE(part.runs()->size(), static_cast<std::size_t>((end - begin) / 64 + 1));
      }
    };
    check(selection, 0, rows);
    const auto begin = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows));
    const auto end = begin + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows - begin + 1));
    check(selection.part(begin, end), begin, end);
  }
}

}  // namespace
}  // namespace marigram::segment::testing
