// A table whose index is malformed could be created and never be read again.
#include "model/index.h"

#include "base/bucket_width.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::model {
namespace {

using testing::HasSubstr;

TimestampIndex hours(std::uint32_t count) {
  return {.bucket = {.count = count, .unit = BucketWidth::Unit::kHour}, .timezone = {}};
}

TEST(Index, NamesAndBuckets) {
  EXPECT_STREQ(index_kind_name(hours(1)), "timestamp");
  EXPECT_STREQ(index_kind_name(Int64Index{}), "int64");
  EXPECT_STREQ(index_kind_name(UInt64Index{}), "uint64");
  EXPECT_EQ(format_bucket(hours(6)), "6h");
  EXPECT_EQ(format_bucket(Int64Index{10}), "10");
  EXPECT_EQ(format_bucket(UInt64Index{UINT64_MAX}), "18446744073709551615");
}

TEST(Index, ValuesMatchTheirKindOnly) {
  const std::vector<IndexKind> kinds = {hours(1), Int64Index{}, UInt64Index{}};
  const std::vector<IndexValue> values = {Instant{}, std::int64_t{0}, std::uint64_t{0}};
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    for (std::size_t v = 0; v < values.size(); ++v) EXPECT_EQ(value_matches(kinds[k], values[v]), k == v);
  }
}

TEST(Index, Validation) {
  EXPECT_TRUE(validate_index({.column = "ts", .tags = {}, .kind = hours(1)}));
  EXPECT_TRUE(validate_index({.column = "ts", .tags = {"a", "b"}, .kind = UInt64Index{1}}));
  const std::vector<std::pair<IndexSpec, std::string>> wrong = {
      {{.column = "", .tags = {}, .kind = hours(1)}, "the index column has no name"},
      {{.column = "ts", .tags = {"a", ""}, .kind = hours(1)}, "the tag column has no name"},
      {{.column = "ts", .tags = {"ts"}, .kind = hours(1)}, "column `ts` is named twice"},
      {{.column = "ts", .tags = {"a", "b", "a"}, .kind = hours(1)}, "column `a` is named twice"},
      {{.column = std::string("t\0s", 3), .tags = {}, .kind = hours(1)}, "NUL"},
      {{.column = "ts", .tags = {}, .kind = hours(0)}, "the bucket of timestamp column `ts` has no width"},
      {{.column = "k", .tags = {}, .kind = Int64Index{0}}, "the bucket of int64 column `k` has no width"},
      {{.column = "k", .tags = {}, .kind = UInt64Index{0}}, "the bucket of uint64 column `k` has no width"},
  };
  for (const auto& [spec, message] : wrong) {
    const Status status = validate_index(spec);
    ASSERT_FALSE(status) << message;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(status.error().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace marigram::model
