#include "query/quantile_sketch.h"

#include <cmath>
#include <limits>
#include <ranges>

namespace marigram::query {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr double kFactor = (1 + QuantileSketch::kError) / (1 - QuantileSketch::kError);
constexpr std::int32_t kInfinite = 1 << 20;  // index of infinity, beyond that of any number
constexpr std::uint64_t kBucketsMax = 1 << 18;

std::int32_t index_of(double magnitude) {
  static const double kLogFactor = std::log(kFactor);
  if (std::isinf(magnitude)) return kInfinite;
  return static_cast<std::int32_t>(std::ceil(std::log(magnitude) / kLogFactor));
}

double estimate(std::int32_t index) {
  if (index == kInfinite) return std::numeric_limits<double>::infinity();
  const double value = 2 * std::pow(kFactor, index) / (kFactor + 1);
  return std::isinf(value) ? std::numeric_limits<double>::max() : value;
}

void put(std::string& bytes, std::uint64_t value) {
  constexpr std::uint64_t kMore = 0x80;
  for (; value >= kMore; value >>= 7U) bytes += static_cast<char>(value | kMore);
  bytes += static_cast<char>(value);
}

std::optional<std::uint64_t> take(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

void put_buckets(std::string& bytes, const std::map<std::int32_t, std::uint64_t>& buckets) {
  put(bytes, buckets.size());
  std::int64_t before = 0;
  for (const auto& [index, count] : buckets) {
    put(bytes, zigzag(index - before));
    put(bytes, count);
    before = index;
  }
}

/// How many numbers there are; unset: these are no buckets.
std::optional<std::uint64_t> take_buckets(std::string_view& bytes, std::map<std::int32_t, std::uint64_t>& buckets) {
  const auto size = take(bytes);
  if (!size || *size > kBucketsMax) return std::nullopt;
  std::uint64_t numbers = 0;
  std::int64_t index = 0;
  for (std::uint64_t i = 0; i < *size; ++i) {
    const auto step = take(bytes);
    const auto count = take(bytes);
    if (!step || !count || *step > 2ULL * kInfinite + 2 * kBucketsMax) return std::nullopt;
    index += unzigzag(*step);
    if (index < -kInfinite || index > kInfinite) return std::nullopt;
    buckets[static_cast<std::int32_t>(index)] += *count;
    numbers += *count;
  }
  return numbers;
}

}  // namespace

void QuantileSketch::add(double value) {
  if (std::isnan(value)) {
    ++nans_;
    return;
  }
  ++count_;
  const double magnitude = std::abs(value);
  if (magnitude < std::numeric_limits<double>::min()) {
    ++zeros_;
  } else {
    ++(value < 0 ? negative_ : positive_)[index_of(magnitude)];
  }
}

void QuantileSketch::merge(const QuantileSketch& other) {
  for (const auto& [index, count] : other.negative_) negative_[index] += count;
  for (const auto& [index, count] : other.positive_) positive_[index] += count;
  zeros_ += other.zeros_;
  nans_ += other.nans_;
  count_ += other.count_;
}

bool QuantileSketch::merge_bytes(std::string_view bytes) {
  if (bytes.empty() || static_cast<std::uint8_t>(bytes.front()) != kVersion) return false;
  bytes.remove_prefix(1);
  QuantileSketch other;
  const auto nans = take(bytes);
  const auto zeros = take(bytes);
  if (!nans || !zeros) return false;
  const auto negative = take_buckets(bytes, other.negative_);
  const auto positive = negative ? take_buckets(bytes, other.positive_) : std::nullopt;
  if (!positive || !bytes.empty()) return false;
  other.nans_ = *nans;
  other.zeros_ = *zeros;
  other.count_ = *zeros + *negative + *positive;
  merge(other);
  return true;
}

double QuantileSketch::at(std::uint64_t rank) const {
  for (const auto& [index, count] : std::views::reverse(negative_)) {
    if (rank < count) return -estimate(index);
    rank -= count;
  }
  if (rank < zeros_) return 0;
  rank -= zeros_;
  for (const auto& [index, count] : positive_) {
    if (rank < count) return estimate(index);
    rank -= count;
  }
  return std::numeric_limits<double>::quiet_NaN();  // not where rank < count_
}

std::optional<double> QuantileSketch::quantile(double fraction) const {
  if (nans_ > 0) return std::numeric_limits<double>::quiet_NaN();
  if (count_ == 0) return std::nullopt;
  const double position = fraction * static_cast<double>(count_ - 1);
  const auto below = std::min(static_cast<std::uint64_t>(position), count_ - 1);
  const double low = at(below);
  const double weight = position - static_cast<double>(below);
  if (weight == 0 || below + 1 == count_) return low;
  const double high = at(below + 1);
  return low == high ? low : low * (1 - weight) + high * weight;
}

std::string QuantileSketch::bytes() const {
  std::string bytes(1, static_cast<char>(kVersion));
  put(bytes, nans_);
  put(bytes, zeros_);
  put_buckets(bytes, negative_);
  put_buckets(bytes, positive_);
  return bytes;
}

}  // namespace marigram::query
