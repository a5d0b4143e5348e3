// Quantiles of numbers, about, in little space: C. Masson, J. E. Rim and H. K. Lee, "DDSketch: A Fast and
// Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 12, 2019.
//
// Numbers are counted in buckets whose bounds grow by a constant factor, so that any number of a bucket is within 1 %
// of any other's estimate. Two sketches, merged, are what one of all numbers would be.
//
// As bytes: u8 version (1); uleb count of NaN, uleb count of zeros; then of the negative and of the positive numbers
// each uleb number of buckets, and by ascending index: zigzag uleb index (the first) or distance to the one before,
// uleb count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace marigram::query {

class QuantileSketch {
 public:
  static constexpr double kError = 0.01;  ///< of an estimate, in relation to the number

  void add(double value);
  void merge(const QuantileSketch& other);
  /// Adds what another was written as. False, and nothing, if it is none.
  bool merge_bytes(std::string_view bytes);

  bool empty() const { return count_ == 0 && nans_ == 0; }
  /// Between the two numbers nearest to `fraction` (0 to 1) of the way from the least to the largest, linear, as
  /// NumPy's default: each is within kError of what it is. NaN if any number is; unset if there is none. O(buckets).
  std::optional<double> quantile(double fraction) const;
  std::string bytes() const;

  friend bool operator==(const QuantileSketch&, const QuantileSketch&) = default;

 private:
  using Buckets = std::map<std::int32_t, std::uint64_t>;  // of magnitudes, by index

  double at(std::uint64_t rank) const;

  Buckets negative_;
  Buckets positive_;
  std::uint64_t zeros_ = 0;  // and what is too small for a bucket
  std::uint64_t nans_ = 0;
  std::uint64_t count_ = 0;  // of all but NaN
};

}  // namespace marigram::query
