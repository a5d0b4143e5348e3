// The spelling of aggregates. Without this test a query could get another aggregate than it asked for, or an error that
// does not say what there is.
#include "model/aggregate.h"

#include <gtest/gtest.h>

#include <string>

namespace marigram::model {
namespace {

TEST(Aggregate, EveryNameReadsBack) {
  for (const char* name : {"count", "sum", "avg", "min", "max", "first", "last", "stddev", "median", "rate", "delta",
                           "p0", "p100", "p99", "p99.9", "p0.001", "approx_median", "approx_p99.9"}) {
    const auto aggregate = parse_aggregate(name);
    ASSERT_TRUE(aggregate) << name;
    EXPECT_EQ(format_aggregate(*aggregate), name);
  }
}

TEST(Aggregate, PercentilesHaveTwoSpellings) {
  EXPECT_EQ(parse_aggregate("percentile(99.5)").value(), parse_aggregate("p99.5").value());
  EXPECT_EQ(parse_aggregate("p99.5")->percentile, 99.5);
  EXPECT_EQ(parse_aggregate("approx_percentile(99)").value(), parse_aggregate("approx_p99").value());
  EXPECT_EQ(parse_aggregate("p50").value(), parse_aggregate("median").value());
}

TEST(Aggregate, RefusesOthersAndListsWhatThereIs) {
  for (const char* bad : {"",        "mean",         "AVG",          "avg ",          "p",
                          "p-1",     "p-0",          "p100.1",       "p1e1",          "pnan",
                          "pinf",    "p 5",          "p5%",          "percentile",    "approx_sum",
                          "approx_", "percentile()", "percentile(5", "percentile(x)", "percentile(101)",
                          "p0x5"}) {
    const auto aggregate = parse_aggregate(bad);
    ASSERT_FALSE(aggregate) << bad;
    EXPECT_EQ(aggregate.error().code, ErrorCode::kInvalidInput);
  }
  EXPECT_EQ(parse_aggregate("mean").error().message,
            "cannot aggregate: there is no such aggregate; got `mean`, want count, sum, avg, min, max, first, last, "
            "stddev, median, p0 to p100, percentile(0 to 100), rate, delta, or approx_ before a percentile");
}

}  // namespace
}  // namespace marigram::model
