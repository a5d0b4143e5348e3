// What each kind of aggregate remembers of the values it has seen. All states can be merged: one that has seen a and
// one that has seen b, merged, give what one that has seen a and then b would.
//
// A state of values of type T has
//   add(value, time, series)  a value that is not null; the rows of a series follow one another, in order of time
//   merge(other)              what other series gave, later in the order of series
//   result()                  the aggregate; unset if it is null
// and some
//   add(values)               values that follow one another, quicker than one by one
//   add_fours(states, fours, values, each)  to each of four times as many states so many values (even_runs.h)
//   add(summary)              values of a series that follow one another, as statistics say them
//   add_squares(summary)      the same where deviations are known too
#pragma once

#include "base/compensated_sum.h"
#include "query/even_runs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace marigram::query {

__extension__ using Int128 = __int128;

/// 128 bits hold the sum of 2^63 integers of 64 bits.
class IntegerSum {
 public:
  IntegerSum() = default;
  IntegerSum(std::int64_t high, std::uint64_t low) : sum_(Int128{high} * (Int128{1} << 64U) + low) {}

  void add(Int128 value) { sum_ += value; }
  void merge(const IntegerSum& other) { sum_ += other.sum_; }
  Int128 value() const { return sum_; }
  std::int64_t high() const { return static_cast<std::int64_t>(sum_ >> 64U); }
  std::uint64_t low() const { return static_cast<std::uint64_t>(sum_); }

 private:
  Int128 sum_ = 0;
};

template <typename T>
using Sum = std::conditional_t<std::is_same_v<T, double>, CompensatedSum, IntegerSum>;

/// What is known of some values, at least one, without looking at them.
template <typename T>
struct Summary {
  std::uint64_t count = 0;
  Sum<T> sum = {};
  T least = {};
  T largest = {};
  T first = {};
  T last = {};
  std::int64_t first_time = 0;  // of `first`
  std::int64_t last_time = 0;
  double squares = 0;  // of deviations from the mean; of rollups alone
};

/// What a column gives for one value: strings are looked at, not copied.
template <typename T>
using Seen = std::conditional_t<std::is_same_v<T, std::string>, std::string_view, T>;

class CountState {
 public:
  template <typename T>
  void add(const T&, std::int64_t, std::uint64_t) {
    ++count_;
  }
  void merge(CountState other) { count_ += other.count_; }
  std::optional<std::int64_t> result() const { return count_; }

 private:
  std::int64_t count_ = 0;
};

/// The sum is of double or Int128; whether the latter fits is for the column to say.
template <typename T>
class SumState {
 public:
  MARIGRAM_LOOP static void add_fours(SumState* states, std::size_t fours, const T* values, std::size_t each)
    requires std::is_same_v<T, double>
  {
    query::add_fours([states](std::size_t i) -> CompensatedSum& { return states[i].sum_; }, fours, values, each);
    for (std::size_t i = 0; i < 4 * fours; ++i) states[i].any_ = true;
  }
  void add(T value, std::int64_t, std::uint64_t) {
    sum_.add(value);
    any_ = true;
  }
  void add(const Summary<T>& values) {
    sum_.merge(values.sum);
    any_ = true;
  }
  void merge(const SumState& other) {
    sum_.merge(other.sum_);
    any_ |= other.any_;
  }
  auto result() const { return any_ ? std::optional(sum_.value()) : std::nullopt; }
  std::optional<Sum<T>> sum() const { return any_ ? std::optional(sum_) : std::nullopt; }

 private:
  Sum<T> sum_;
  bool any_ = false;
};

template <typename T>
class AvgState {
 public:
  MARIGRAM_LOOP static void add_fours(AvgState* states, std::size_t fours, const T* values, std::size_t each)
    requires std::is_same_v<T, double>
  {
    query::add_fours([states](std::size_t i) -> CompensatedSum& { return states[i].sum_; }, fours, values, each);
    for (std::size_t i = 0; i < 4 * fours; ++i) states[i].count_ += each;
  }
  void add(T value, std::int64_t, std::uint64_t) {
    sum_.add(value);
    ++count_;
  }
  void add(const Summary<T>& values) {
    sum_.merge(values.sum);
    count_ += values.count;
  }
  void merge(const AvgState& other) {
    sum_.merge(other.sum_);
    count_ += other.count_;
  }
  std::optional<double> result() const {
    if (count_ == 0) return std::nullopt;
    return static_cast<double>(static_cast<long double>(sum_.value()) / static_cast<long double>(count_));
  }

 private:
  Sum<T> sum_;
  std::uint64_t count_ = 0;
};

/// Of values and their weights.
class WeightedAvgState {
 public:
  void add(double value, double weight) {
    products_.add(value * weight);
    weights_.add(weight);
  }
  void merge(const WeightedAvgState& other) {
    products_.merge(other.products_);
    weights_.merge(other.weights_);
  }
  std::optional<double> result() const {
    if (weights_.value() == 0) return std::nullopt;
    return products_.value() / weights_.value();
  }

 private:
  CompensatedSum products_;
  CompensatedSum weights_;
};

enum class SumPart { kWord, kRest };

/// Half of a sum: of floats the sum without what it lost, or that; of others the lower or the higher half of its bits.
template <typename T, SumPart kWanted>
class SumPartState : public SumState<T> {
 public:
  auto result() const {
    const std::optional<Sum<T>> sum = this->sum();
    return sum ? std::optional(part_of(*sum)) : std::nullopt;
  }

 private:
  static auto part_of(const Sum<T>& sum) {
    if constexpr (std::is_same_v<T, double>) {
      return kWanted == SumPart::kWord ? sum.sum() : sum.lost();
    } else {
      return kWanted == SumPart::kWord ? static_cast<std::int64_t>(sum.low()) : sum.high();
    }
  }
};

enum class Extreme { kMin, kMax };

/// Of equal ones the first. A NaN gives way to anything.
template <typename T, Extreme kWanted>
class ExtremeState {
 public:
  /// Without a branch where values are numbers: which of them is the larger cannot be foreseen.
  void add(const Seen<T>& value, std::int64_t, std::uint64_t) {
    const bool takes = !any_ || gives_way(value_, value);
    if constexpr (std::is_arithmetic_v<T>) {
      value_ = takes ? value : value_;
    } else if (takes) {
      value_ = T(value);
    }
    any_ = true;
  }
  void add(const Summary<T>& values) { add(kWanted == Extreme::kMin ? values.least : values.largest, 0, 0); }
  /// A NaN that comes behind a number changes nothing, so they are looked for only until one came.
  void add(std::span<const T> values)
    requires std::is_arithmetic_v<T>
  {
    std::size_t i = 0;
    for (; i < values.size() && (!any_ || is_nan(value_)); ++i) add(values[i], 0, 0);
    T held = value_;
    for (; i < values.size(); ++i) held = is_beyond(held, values[i]) ? values[i] : held;
    value_ = held;
  }
  MARIGRAM_LOOP static void add_fours(ExtremeState* states, std::size_t fours, const T* values, std::size_t each)
    requires std::is_arithmetic_v<T>
  {
    for (const ExtremeState* const end = states + 4 * fours; states != end; states += 4, values += 4 * each) {
      std::array<T, 4> held;
      bool has_nan = false;
      for (std::size_t i = 0; i < 4; ++i) {
        held[i] = states[i].any_ ? states[i].value_ : values[i * each];
        has_nan |= is_nan(held[i]);
      }
      if (has_nan) {
        for (std::size_t i = 0; i < 4; ++i) states[i].add(std::span(values + i * each, each));
        continue;
      }
      take_four<T, kWanted == Extreme::kMin>(held.data(), values, each);
      for (std::size_t i = 0; i < 4; ++i) {
        states[i].value_ = held[i];
        states[i].any_ = true;
      }
    }
  }
  void merge(const ExtremeState& other) {
    if (other.any_) add(other.value_, 0, 0);
  }
  std::optional<T> result() const { return any_ ? std::optional(value_) : std::nullopt; }

 private:
  static bool gives_way(const T& held, const Seen<T>& value) {
    return static_cast<bool>(static_cast<int>(is_beyond(held, value)) | static_cast<int>(is_nan(held)));
  }
  static bool is_beyond(const T& held, const Seen<T>& value) {
    return kWanted == Extreme::kMin ? value < held : value > held;
  }
  static bool is_nan(const T& held) {
    if constexpr (std::is_same_v<T, double>) return std::isnan(held);
    return false;
  }

  T value_ = {};
  bool any_ = false;
};

enum class Edge { kFirst, kLast };

/// By time; of those at one time the first or the last in the order of rows.
template <typename T, Edge kWanted>
class EdgeState {
 public:
  void add(const Seen<T>& value, std::int64_t time, std::uint64_t) {
    if (value_ && (kWanted == Edge::kFirst ? time >= time_ : time < time_)) return;
    value_ = T(value);
    time_ = time;
  }
  void add(const Summary<T>& values) {
    if (kWanted == Edge::kFirst) return add(values.first, values.first_time, 0);
    add(values.last, values.last_time, 0);
  }
  void merge(const EdgeState& other) {
    if (other.value_) add(*other.value_, other.time_, 0);
  }
  std::optional<T> result() const { return value_; }

 private:
  std::optional<T> value_;
  std::int64_t time_ = 0;
};

/// When the first or last was.
template <typename T, Edge kWanted>
class EdgeTimeState {
 public:
  void add(const Seen<T>&, std::int64_t time, std::uint64_t) { add(time); }
  void add(const Summary<T>& values) { add(kWanted == Edge::kFirst ? values.first_time : values.last_time); }
  void merge(const EdgeTimeState& other) {
    if (other.time_) add(*other.time_);
  }
  std::optional<std::int64_t> result() const { return time_; }

 private:
  void add(std::int64_t time) {
    if (!time_ || (kWanted == Edge::kFirst ? time < *time_ : time > *time_)) time_ = time;
  }

  std::optional<std::int64_t> time_;
};

/// Mean and squared deviations from it: B. P. Welford, Technometrics 4, 1962; merged as by T. F. Chan, G. H. Golub and
/// R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
class StddevState {
 public:
  template <typename T>
  void add(T value, std::int64_t, std::uint64_t) {
    const auto x = static_cast<double>(value);
    ++count_;
    const double before = x - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (x - mean_);
  }
  template <typename T>
  void add_squares(const Summary<T>& values) {
    StddevState other;
    other.count_ = values.count;
    other.mean_ =
        static_cast<double>(static_cast<long double>(values.sum.value()) / static_cast<long double>(values.count));
    other.squares_ = values.squares;
    merge(other);
  }
  void merge(const StddevState& other) {
    if (other.count_ == 0) return;
    const auto mine = static_cast<double>(count_);
    const auto others = static_cast<double>(other.count_);
    const double apart = other.mean_ - mean_;
    count_ += other.count_;
    mean_ += apart * (others / (mine + others));
    squares_ += other.squares_ + apart * apart * (mine * others / (mine + others));
  }
  std::optional<double> result() const {
    if (count_ < 2) return std::nullopt;
    return std::sqrt(squares_ / static_cast<double>(count_ - 1));
  }
  std::optional<double> squares() const { return count_ == 0 ? std::nullopt : std::optional(squares_); }

 private:
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

/// The squared deviations themselves.
class SquaresState : public StddevState {
 public:
  std::optional<double> result() const { return squares(); }
};

/// Keeps every value, eight bytes each. Integers beyond 2^53 are rounded.
class PercentileState {
 public:
  explicit PercentileState(double percentile) : fraction_(percentile / 100) {}

  template <typename T>
  void add(T value, std::int64_t, std::uint64_t) {
    values_.push_back(static_cast<double>(value));
  }
  void merge(const PercentileState& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }

  /// NaN if any value is. O(values); moves them about.
  std::optional<double> result() {
    if (values_.empty()) return std::nullopt;
    const auto nan = std::ranges::find_if(values_, [](double value) { return std::isnan(value); });
    if (nan != values_.end()) return *nan;
    const double position = fraction_ * static_cast<double>(values_.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(position), values_.size() - 1);
    const auto at = values_.begin() + static_cast<std::ptrdiff_t>(below);
    std::ranges::nth_element(values_, at);
    const double weight = position - static_cast<double>(below);
    if (weight == 0) return *at;
    return between(*at, *std::min_element(std::next(at), values_.end()), weight);
  }

 private:
  /// From the nearer end, as NumPy does, so that rounding never leads beyond either.
  static double between(double low, double high, double weight) {
    const double width = high - low;
    return low == high ? low : weight < 0.5 ? low + width * weight : high - width * (1 - weight);
  }

  double fraction_;
  std::vector<double> values_;
};

enum class Change { kRate, kDelta };

/// How much each series changed between its first and last value; the sum over series that have two values or more (for
/// the rate: at different times). Where a counter falls it has started anew from 0, as Prometheus takes it; nothing is
/// extrapolated to the ends of the bucket.
template <typename T, Change kWanted>
class ChangeState {
 public:
  /// `units_per_second`: of the times.
  explicit ChangeState(double units_per_second) : units_per_second_(units_per_second) {}

  void add(T value, std::int64_t time, std::uint64_t series) {
    if (!open_ || series != series_) {
      close();
      open_ = true;
      series_ = series;
      first_ = value;
      first_time_ = time;
      restarts_ = 0;
      several_ = false;
    } else {
      if (value < last_) restarts_ += last_;
      several_ = true;
    }
    last_ = value;
    last_time_ = time;
  }
  void merge(ChangeState other) {
    close();
    other.close();
    sum_.merge(other.sum_);
    any_ |= other.any_;
  }
  std::optional<double> result() {
    close();
    return any_ ? std::optional(sum_.value()) : std::nullopt;
  }

 private:
  using Wide = std::conditional_t<std::is_same_v<T, double>, double, Int128>;  // differences of integers are exact

  void close() {
    if (std::exchange(open_, false) && several_) add_series();
  }

  void add_series() {
    const Wide change = static_cast<Wide>(last_) - static_cast<Wide>(first_);
    if constexpr (kWanted == Change::kDelta) {
      sum_.add(static_cast<double>(change));
    } else {
      if (last_time_ <= first_time_) return;
      const std::uint64_t elapsed = static_cast<std::uint64_t>(last_time_) - static_cast<std::uint64_t>(first_time_);
      sum_.add(static_cast<double>(change + restarts_) / (static_cast<double>(elapsed) / units_per_second_));
    }
    any_ = true;
  }

  double units_per_second_;
  CompensatedSum sum_;  // of series that are complete
  bool any_ = false;
  bool open_ = false;  // all below is of the series at hand
  bool several_ = false;
  std::uint64_t series_ = 0;
  T first_ = 0;
  T last_ = 0;
  Wide restarts_ = 0;  // what the counter had come to each time before it started anew
  std::int64_t first_time_ = 0;
  std::int64_t last_time_ = 0;
};

}  // namespace marigram::query
