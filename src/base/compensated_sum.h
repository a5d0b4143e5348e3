// A sum of doubles whose error does not grow with their number: what each addition loses is kept apart (A. Neumaier,
// "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974). Infinities and NaN as IEEE.
#pragma once

#include <cmath>

namespace marigram {

class CompensatedSum {
 public:
  CompensatedSum() = default;
  /// As sum() and lost() told.
  CompensatedSum(double sum, double lost) : sum_(sum), lost_(lost) {}

  void add(double value) {
    const double sum = sum_ + value;
    lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
    sum_ = sum;
  }
  void merge(const CompensatedSum& other) {
    add(other.sum_);
    lost_ += other.lost_;
  }

  /// What was lost beside an infinity is not a number.
  double value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }
  /// As additions without compensation give it.
  double sum() const { return sum_; }
  double lost() const { return lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

}  // namespace marigram
