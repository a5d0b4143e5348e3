// Error codes travel to programs by name, and MARIGRAM_TRY and MARIGRAM_ASSIGN carry every failure of the house
// upwards. Without this test a renamed code, or a macro that swallows an error or evaluates its argument twice, goes
// unseen.
#include "base/try.h"

#include <marigram/error.h>

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

namespace marigram {
namespace {

TEST(ErrorCodeName, IsStableAndDistinct) {
  const std::pair<ErrorCode, const char*> names[] = {
      {ErrorCode::kNotFound, "not_found"},
      {ErrorCode::kInvalidInput, "invalid_input"},
      {ErrorCode::kAlreadyExists, "already_exists"},
      {ErrorCode::kOverlap, "overlap"},
      {ErrorCode::kSchemaMismatch, "schema_mismatch"},
      {ErrorCode::kConflict, "conflict"},
      {ErrorCode::kPermissionDenied, "permission_denied"},
      {ErrorCode::kResourceExhausted, "resource_exhausted"},
      {ErrorCode::kCorruption, "corruption"},
      {ErrorCode::kIo, "io"},
      {ErrorCode::kCancelled, "cancelled"},
      {ErrorCode::kInternal, "internal"},
  };
  std::set<std::string> seen;
  for (const auto& [code, name] : names) {
    EXPECT_STREQ(error_code_name(code), name);
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
  EXPECT_STREQ(error_code_name(static_cast<ErrorCode>(99)), "internal");
}

Status counted(int& calls, bool good) {
  ++calls;
  if (good) return {};
  return fail(ErrorCode::kConflict, "cannot commit: lost");
}

Status try_twice(int& calls, bool first, bool second) {
  MARIGRAM_TRY(counted(calls, first));
  MARIGRAM_TRY(counted(calls, second));
  return {};
}

TEST(Try, EvaluatesOnceAndStopsAtTheFirstError) {
  int calls = 0;
  EXPECT_TRUE(try_twice(calls, true, true));
  EXPECT_EQ(calls, 2);

  calls = 0;
  const Status failed = try_twice(calls, false, true);
  EXPECT_EQ(calls, 1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kConflict);
  EXPECT_EQ(failed.error().message, "cannot commit: lost");
}

Result<std::unique_ptr<int>> make_number(int value) {
  if (value < 0) {
    return std::unexpected(Error{ErrorCode::kConflict, "negative", ConflictInfo{.expected = 1, .found = 2}});
  }
  return std::make_unique<int>(value);
}

Result<int> add(int a, int b) {
  MARIGRAM_ASSIGN(const std::unique_ptr<int> left, make_number(a));
  MARIGRAM_ASSIGN(auto right, make_number(b));
  MARIGRAM_ASSIGN(right, make_number(*right + 1));  // also assigns to what is there
  return *left + *right;
}

TEST(Assign, MovesTheValueOutAndCarriesTheDetail) {
  EXPECT_EQ(add(2, 3).value(), 6);
  const Result<int> failed = add(2, -3);
  ASSERT_FALSE(failed);
  ASSERT_TRUE(std::holds_alternative<ConflictInfo>(failed.error().detail));
  EXPECT_EQ(std::get<ConflictInfo>(failed.error().detail).found, 2u);
}

}  // namespace
}  // namespace marigram
