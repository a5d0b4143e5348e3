// The arithmetic of aggregates. Without this test sums could lose what the large numbers among them hide, a deviation
// could drown in its mean, a percentile could differ from what others compute, a counter's restart could count as a
// fall, and what is merged could differ from what is added.
#include "base/processors.h"
#include "query/aggregate_states.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <typename State, typename T>
State state_of(State state, const std::vector<T>& values) {
  std::int64_t time = 0;
  for (const T& value : values) state.add(value, time++, 1);
  return state;
}

double sum_of(const std::vector<double>& values) {
  return state_of(SumState<double>(), values).result().value();
}
std::optional<double> stddev_of(const std::vector<double>& values) {
  return state_of(StddevState(), values).result();
}
std::optional<double> percentile_of(double percentile, const std::vector<double>& values) {
  return state_of(PercentileState(percentile), values).result();
}

TEST(Sum, KeepsWhatLargeNumbersHide) {
  EXPECT_EQ(sum_of({1e100, 1, -1e100}), 1);
  EXPECT_EQ(sum_of({1, 1e100, 1, -1e100}), 2);
  EXPECT_EQ(sum_of(std::vector<double>(10'000'000, 0.1)), 1'000'000);
}

TEST(Sum, IsAsCloseAsLongDoubleOnHostileNumbers) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> mantissa(-1, 1);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> values;
    for (int i = 0; i < 2'000; ++i) values.push_back(std::ldexp(mantissa(random), static_cast<int>(random() % 40)));
    long double exact = 0;
    for (const double value : values) exact += value;
    const long double scale = 2'000 * std::ldexp(1.0L, 40);
    EXPECT_NEAR(static_cast<double>(sum_of(values) - exact), 0, static_cast<double>(scale * 0x1p-60L));
    SumState<double> left = state_of(SumState<double>(), std::vector(values.begin(), values.begin() + 777));
    left.merge(state_of(SumState<double>(), std::vector(values.begin() + 777, values.end())));
    EXPECT_NEAR(static_cast<double>(*left.result() - exact), 0, static_cast<double>(scale * 0x1p-60L));
  }
}

TEST(Sum, TreatsInfinitiesAndNanAsIeee) {
  EXPECT_EQ(sum_of({1, kInfinity, 2}), kInfinity);
  EXPECT_EQ(sum_of({-kInfinity, 1}), -kInfinity);
  EXPECT_TRUE(std::isnan(sum_of({kInfinity, -kInfinity})));
  EXPECT_TRUE(std::isnan(sum_of({1, kNan, 2})));
  EXPECT_EQ(sum_of({1.5e308, 1.5e308}), kInfinity);
  EXPECT_FALSE(SumState<double>().result());
}

TEST(Sum, OfIntegersIsExactBeyondTheirType) {
  const auto sum =
      state_of(SumState<std::int64_t>(), std::vector(3, std::numeric_limits<std::int64_t>::max())).result();
  EXPECT_TRUE(sum == 3 * static_cast<Int128>(std::numeric_limits<std::int64_t>::max()));
  const auto back =
      state_of(SumState<std::int64_t>(), std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max(), 1, -5});
  EXPECT_TRUE(back.result() == std::numeric_limits<std::int64_t>::max() - 4);
}

TEST(Avg, OfIntegersRoundsOnce) {
  const std::int64_t large = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(state_of(AvgState<std::int64_t>(), std::vector<std::int64_t>{large, large, large}).result(), 0x1p63);
  EXPECT_EQ(state_of(AvgState<std::int64_t>(), std::vector<std::int64_t>{large, -large, 3}).result(), 1);
  EXPECT_EQ(state_of(AvgState<bool>(), std::vector<bool>{true, false, true, true}).result(), 0.75);
  EXPECT_FALSE(AvgState<double>().result());
}

TEST(Stddev, IsOfTheSample) {
  EXPECT_DOUBLE_EQ(stddev_of({2, 4, 4, 4, 5, 5, 7, 9}).value(), std::sqrt(32.0 / 7));
  EXPECT_EQ(stddev_of({3, 3}), 0);
  EXPECT_FALSE(stddev_of({3}));
  EXPECT_FALSE(stddev_of({}));
  EXPECT_TRUE(std::isnan(stddev_of({1, kNan, 2}).value()));
}

TEST(Stddev, DoesNotDrownInTheMean) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> noise(1e9, 0.01);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> values(1 + random() % 3'000);
    std::ranges::generate(values, [&] { return noise(random); });
    values.push_back(1e9);
    long double mean = 0;
    for (const double value : values) mean += value;
    mean /= static_cast<long double>(values.size());
    long double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    const double exact = static_cast<double>(std::sqrt(squares / static_cast<long double>(values.size() - 1)));
    EXPECT_NEAR(stddev_of(values).value(), exact, exact * 1e-4);
    StddevState merged;
    for (auto begin = values.begin(); begin != values.end();) {
      const auto end =
          begin + std::min<std::ptrdiff_t>(1 + static_cast<std::ptrdiff_t>(random() % 900), values.end() - begin);
      merged.merge(state_of(StddevState(), std::vector(begin, end)));
      begin = end;
    }
    EXPECT_NEAR(merged.result().value(), exact, exact * 1e-4);
  }
}

/// Values that numpy.percentile gives.
TEST(Percentile, IsNumPys) {
  EXPECT_EQ(percentile_of(25, {4, 1, 3, 2}), 1.75);
  EXPECT_EQ(percentile_of(50, {4, 1, 3, 2}), 2.5);
  EXPECT_EQ(percentile_of(0, {4, 1, 3, 2}), 1);
  EXPECT_EQ(percentile_of(100, {4, 1, 3, 2}), 4);
  EXPECT_EQ(percentile_of(99, {7}), 7);
  std::vector<double> hundred(100);
  for (std::size_t i = 0; i < hundred.size(); ++i) hundred[i] = static_cast<double>(100 - i);
  EXPECT_DOUBLE_EQ(percentile_of(99, hundred).value(), 99.01);
  EXPECT_DOUBLE_EQ(percentile_of(99.5, hundred).value(), 99.505);
  EXPECT_FALSE(percentile_of(50, {}));
}

TEST(Percentile, TakesInfinitiesAndNan) {
  EXPECT_EQ(percentile_of(50, {-kInfinity, 5, kInfinity}), 5);
  EXPECT_EQ(percentile_of(100, {-kInfinity, 5, kInfinity}), kInfinity);
  EXPECT_EQ(percentile_of(75, {kInfinity, kInfinity, kInfinity}), kInfinity);
  EXPECT_TRUE(std::isnan(percentile_of(0, {1, kNan}).value()));
}

TEST(Percentile, AgreesWithSorting) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<double> values(1 + random() % 50);
    std::ranges::generate(values, [&] { return static_cast<double>(random() % 20) / 4; });
    const double percentile = static_cast<double>(random() % 1'001) / 10;
    PercentileState state = state_of(PercentileState(percentile), values);
    state.merge(state_of(PercentileState(percentile), std::vector<double>{values[0]}));
    values.push_back(values[0]);
    std::ranges::sort(values);
    const double position = percentile / 100 * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const double above = values[std::min(below + 1, values.size() - 1)];
    const double expected = values[below] + (above - values[below]) * (position - std::floor(position));
    EXPECT_NEAR(state.result().value(), expected, 1e-12);
  }
}

TEST(Extremes, NanGivesWay) {
  using Min = ExtremeState<double, Extreme::kMin>;
  using Max = ExtremeState<double, Extreme::kMax>;
  EXPECT_EQ(state_of(Min(), std::vector<double>{kNan, 2, 1, kNan}).result(), 1);
  EXPECT_EQ(state_of(Max(), std::vector<double>{1, kNan, 2}).result(), 2);
  EXPECT_TRUE(std::isnan(state_of(Max(), std::vector<double>{kNan, kNan}).result().value()));
  Min merged = state_of(Min(), std::vector<double>{kNan});
  merged.merge(state_of(Min(), std::vector<double>{3}));
  merged.merge(state_of(Min(), std::vector<double>{kNan}));
  merged.merge(Min());
  EXPECT_EQ(merged.result(), 3);
  using First = ExtremeState<std::string, Extreme::kMin>;
  EXPECT_EQ(state_of(First(), std::vector<std::string>{"b", "\xff", "a\0b", "a"}).result(), "a");
}

/// Bits of a result; NaNs are all alike.
std::optional<std::uint64_t> bits_of(const std::optional<double>& result) {
  if (!result) return std::nullopt;
  return std::bit_cast<std::uint64_t>(std::isnan(*result) ? kNan : *result);
}

/// Values to each of some states, run by run and four runs at a time; states may have seen some before.
template <typename State>
void expect_fours_alike(std::mt19937_64& random, const std::vector<double>& some) {
  const std::size_t each = 1 + random() % 9;
  std::vector<State> alone(4 * (1 + random() % 3));
  for (State& state : alone) {
    if (random() % 2 == 0) state.add(some[random() % some.size()], 0, 1);
  }
  std::vector<State> together = alone;
  std::vector<double> values(alone.size() * each);
  for (double& value : values) value = some[random() % some.size()];
  for (std::size_t i = 0; i < values.size(); ++i) alone[i / each].add(values[i], 0, 1);
  compiled<State::add_fours>(together.data(), together.size() / 4, values.data(), each);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    ASSERT_EQ(bits_of(together[i].result()), bits_of(alone[i].result()));
    if constexpr (std::is_same_v<State, SumState<double>>) {
      ASSERT_EQ(bits_of(together[i].sum()->sum()), bits_of(alone[i].sum()->sum()));
      ASSERT_EQ(bits_of(together[i].sum()->lost()), bits_of(alone[i].sum()->lost()));
    }
  }
}

TEST(Fours, AreToTheLastBitWhatOneByOneGives) {
  const Processor best = processor();
  std::mt19937_64 random(4);
  std::vector<double> some = {kNan, -0.0, 0.0, 1, -1, kInfinity, -kInfinity, 1e300, -1e300, 5e-324, 0.1, 1e16, 3.3};
  for (int round = 0; round < 4'000 && !HasFatalFailure(); ++round) {
    if (!use_processor(round % 2 == 0 ? Processor::kAny : Processor::kWide)) continue;
    const std::vector<double> own(some.begin() + (round % 3 == 0 ? 0 : 7), some.end());  // mostly finite
    expect_fours_alike<SumState<double>>(random, own);
    expect_fours_alike<AvgState<double>>(random, own);
    expect_fours_alike<ExtremeState<double, Extreme::kMin>>(random, own);
    expect_fours_alike<ExtremeState<double, Extreme::kMax>>(random, own);
  }
  use_processor(best);
}

TEST(Extremes, AreTheSameOfOneByOneAndAllAtOnce) {
  std::mt19937_64 random(3);
  const std::vector<double> some = {kNan, -0.0, 0.0, 1, -1, kInfinity, -kInfinity};
  for (int round = 0; round < 2'000; ++round) {
    std::vector<double> values(random() % 8);
    for (double& value : values) value = some[random() % some.size()];
    const std::size_t cut = values.empty() ? 0 : random() % values.size();
    const auto check = [&]<typename State>(State all) {
      const std::optional<double> expected = state_of(State(), values).result();
      all.add(std::span(values).first(cut));
      all.add(std::span(values).subspan(cut));
      ASSERT_EQ(all.result().has_value(), expected.has_value());
      if (!expected) return;
      ASSERT_EQ(std::isnan(*all.result()), std::isnan(*expected));
      if (std::isnan(*expected)) return;
      ASSERT_EQ(*all.result(), *expected);
      ASSERT_EQ(std::signbit(*all.result()), std::signbit(*expected));
    };
    check(ExtremeState<double, Extreme::kMin>());
    check(ExtremeState<double, Extreme::kMax>());
    if (HasFatalFailure()) return;
  }
}

TEST(Edges, GoByTimeThenByOrder) {
  EdgeState<double, Edge::kFirst> first;
  EdgeState<double, Edge::kLast> last;
  const std::vector<std::pair<double, std::int64_t>> rows = {{1, 5}, {2, 3}, {3, 3}, {4, 9}, {5, 9}, {6, 8}};
  for (const auto& [value, time] : rows) {
    first.add(value, time, 0);
    last.add(value, time, 0);
  }
  EXPECT_EQ(first.result(), 2);
  EXPECT_EQ(last.result(), 5);
  EdgeState<double, Edge::kLast> later;
  later.add(7, 9, 1);
  last.merge(later);
  EXPECT_EQ(last.result(), 7);
  EXPECT_FALSE((EdgeState<double, Edge::kFirst>().result()));
}

using Rate = ChangeState<double, Change::kRate>;
using Delta = ChangeState<double, Change::kDelta>;

template <typename State>
std::optional<double> change_of(State state, const std::vector<std::pair<double, std::int64_t>>& rows) {
  for (const auto& [value, time] : rows) state.add(value, time, 1);
  return state.result();
}

TEST(Rate, CountsARestartFromZero) {
  EXPECT_EQ(change_of(Rate(1'000), {{10, 0}, {30, 1'000}, {40, 2'000}}), 15);
  EXPECT_EQ(change_of(Rate(1'000), {{10, 0}, {30, 1'000}, {5, 2'000}, {7, 4'000}}), 27.0 / 4);
  EXPECT_EQ(change_of(Rate(1'000), {{10, 0}, {5, 1'000}, {3, 2'000}}), 4);
  EXPECT_EQ(change_of(Rate(1'000), {{10, 0}, {10, 500}}), 0);
  EXPECT_FALSE(change_of(Rate(1'000), {{10, 0}}));
  EXPECT_FALSE(change_of(Rate(1'000), {{10, 5}, {20, 5}}));  // no time passes
  EXPECT_FALSE(change_of(Rate(1'000), {}));
  EXPECT_EQ(change_of(Delta(1), {{10, 0}, {30, 1}, {5, 2}}), -5);
  EXPECT_EQ(change_of(Delta(1), {{10, 5}, {20, 5}}), 10);
  EXPECT_FALSE(change_of(Delta(1), {{10, 0}}));
}

TEST(Rate, OverTheWholeRangeOfTimesAndIntegers) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  ChangeState<std::int64_t, Change::kDelta> delta(1);
  delta.add(kMin, kMin, 1);
  delta.add(kMax, kMax, 1);
  EXPECT_EQ(delta.result(), 0x1p64);
  ChangeState<std::uint64_t, Change::kRate> rate(1);
  rate.add(std::numeric_limits<std::uint64_t>::max(), kMin, 1);
  rate.add(0, 0, 1);
  rate.add(std::numeric_limits<std::uint64_t>::max(), kMax, 1);
  EXPECT_EQ(rate.result(), 1);
  ChangeState<std::int64_t, Change::kDelta> near(1);  // floats would see no difference
  near.add(kMax - 1, 0, 1);
  near.add(kMax, 1, 1);
  EXPECT_EQ(near.result(), 1);
}

TEST(Rate, OfSeveralSeriesIsTheSum) {
  Rate rate(1);
  for (const std::uint64_t series : {1U, 2U, 3U}) {
    rate.add(100, 10, series);  // never a restart against the series before
    if (series != 2) rate.add(100 + static_cast<double>(series), 11, series);
  }
  Rate other(1);
  other.add(0, 0, 4);
  other.add(10, 1, 4);
  rate.merge(other);
  rate.merge(Rate(1));
  EXPECT_EQ(rate.result(), 1 + 3 + 10);
}

}  // namespace
}  // namespace marigram::query
