// Which segments stay open. Without these a query of many small segments could open each anew every time, or a segment
// that was deleted, or belongs to a table that was closed, keep its space.
#include "table/segment_cache.h"

#include "table/history.h"
#include "table/test_rows.h"
#include "table/vacuum.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace marigram::table::testing {
namespace {

using Readers = std::vector<std::weak_ptr<segment::SegmentReader>>;

class SegmentCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TableOptions options = Fixture::options();
    options.segments = SegmentFormat::kNative;
    engine_ = fixture_.create(options);
    for (std::int64_t i = 0; i < 100; ++i) ASSERT_TRUE(append_rows(*engine_, minutes("a", 10 * i, 3)));
  }

  /// Once each, from the first on.
  Readers open_all() const {
    const Environment& environment = engine_->environment();
    Readers opened;
    const auto segments = engine_->segments(engine_->state());
    for (const auto& segment : segments->all()) {
      opened.push_back(environment.segments->open(*environment.store, *segment).value());
    }
    return opened;
  }

  static auto are_open(const Readers& readers) {
    return std::ranges::count_if(readers, [](const auto& reader) { return !reader.expired(); });
  }

  Fixture fixture_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(SegmentCacheTest, SmallSegmentsStayOpen) {
  const Readers first = open_all();
  ASSERT_EQ(first.size(), 100U);
  EXPECT_EQ(are_open(first), 100);
  const Readers again = open_all();
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(again[i].lock(), first[i].lock());
}

TEST_F(SegmentCacheTest, WhatIsDeletedIsShut) {
  const Readers readers = open_all();
  ASSERT_TRUE(truncate(*engine_));
  EXPECT_EQ(are_open(readers), 100) << "older versions have them";
  fixture_.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(vacuum(*engine_, 0, false, {.versions = 1}));
  EXPECT_EQ(are_open(readers), 0);
}

}  // namespace
}  // namespace marigram::table::testing
