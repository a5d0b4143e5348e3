#include "segment/column_encoding.h"

#include "model/schema.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <parquet/types.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace marigram::segment {
namespace {

using model::TypeId;

constexpr std::int64_t kSampleRows = 4'096;
constexpr std::int64_t kRunRows = 32;             // a miniblock of DELTA_BINARY_PACKED
constexpr double kDictionaryEntriesMax = 16'384;  // beyond, hashing gets slow and lookups miss the cache
constexpr double kNoisyDeltaBits = 6;  // with more, packed deltas hold no bytes that a codec could find again
// Indices may be this much larger than deltas: a reader that wants some rows need not decode those before them.
constexpr double kIndexGrowthMax = 1.1;
constexpr ColumnEncoding kPackedDictionary{.dictionary = true, .codec = CodecChoice::kNone};

/// A value as 64 bits, equal for equal values (with overwhelming probability for strings).
std::uint64_t key_of(const arrow::Array& array, std::int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT32:
    case arrow::Type::FLOAT: {
      std::uint32_t bits = 0;
      std::memcpy(&bits, array.data()->GetValues<std::uint32_t>(1) + row, sizeof(bits));
      return bits;
    }
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DOUBLE:
      return array.data()->GetValues<std::uint64_t>(1)[row];
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return std::hash<std::string_view>{}(static_cast<const arrow::BinaryArray&>(array).GetView(row));
    default:
      return 0;
  }
}

/// The non-null values among `rows` of the column, in order.
class Sampler {
 public:
  explicit Sampler(const arrow::ChunkedArray& column) : column_(column) {}

  /// Rows ascend from call to call.
  void take(std::int64_t row, std::vector<std::uint64_t>& into) {
    while (row >= begin_ + column_.chunk(chunk_)->length()) begin_ += column_.chunk(chunk_++)->length();
    const arrow::Array& array = *column_.chunk(chunk_);
    if (array.IsValid(row - begin_)) into.push_back(key_of(array, row - begin_));
  }

 private:
  const arrow::ChunkedArray& column_;
  int chunk_ = 0;
  std::int64_t begin_ = 0;  // first row of the chunk
};

std::vector<std::uint64_t> spread_sample(const arrow::ChunkedArray& column) {
  std::vector<std::uint64_t> keys;
  Sampler sampler(column);
  const std::int64_t step = std::max<std::int64_t>(1, column.length() / kSampleRows);
  for (std::int64_t row = 0; row < column.length(); row += step) sampler.take(row, keys);
  return keys;
}

/// How many distinct values a column has if `distinct` of `sampled` of its values differ, were they drawn evenly:
/// the root D of distinct = D (1 - exp(-sampled / D)).
double estimate_distinct(double distinct, double sampled, double rows) {
  if (distinct >= sampled) return rows;
  double low = distinct;
  double high = rows;
  for (int i = 0; i < 40 && high - low > 1; ++i) {
    const double middle = (low + high) / 2;
    (middle * -std::expm1(-sampled / middle) < distinct ? low : high) = middle;
  }
  return high;
}

/// Bits a value of a dictionary column: the index, and the value's part of the dictionary. Infinite if too large.
double dictionary_bits(const arrow::ChunkedArray& column, double value_bits) {
  std::vector<std::uint64_t> keys = spread_sample(column);
  if (keys.empty()) return 0;
  const auto sampled = static_cast<double>(keys.size());
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  const double seen = sampled - static_cast<double>(repeated.size());
  const auto rows = static_cast<double>(column.length());
  const double distinct = sampled == rows ? seen : estimate_distinct(seen, sampled, rows);
  if (distinct > kDictionaryEntriesMax) return INFINITY;
  return std::ceil(std::log2(distinct + 1)) + distinct * value_bits / rows;
}

/// Bits a value of DELTA_BINARY_PACKED, from runs of neighbours spread over the column.
double delta_bits(const arrow::ChunkedArray& column) {
  Sampler sampler(column);
  const std::int64_t step = std::max<std::int64_t>(kRunRows, column.length() / (kSampleRows / kRunRows));
  double bits = 0;
  double runs = 0;
  for (std::int64_t start = 0; start + kRunRows <= column.length(); start += step) {
    std::vector<std::uint64_t> run;
    for (std::int64_t row = start; row < start + kRunRows; ++row) sampler.take(row, run);
    if (run.size() < 2) continue;
    auto low = static_cast<std::int64_t>(run[1] - run[0]);
    auto high = low;
    for (std::size_t i = 2; i < run.size(); ++i) {
      const auto delta = static_cast<std::int64_t>(run[i] - run[i - 1]);
      low = std::min(low, delta);
      high = std::max(high, delta);
    }
    bits += static_cast<double>(std::bit_width(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)));
    runs += 1;
  }
  return runs == 0 ? 0 : bits / runs;
}

ColumnEncoding packed_deltas(double bits) {
  return {.encoding = parquet::Encoding::DELTA_BINARY_PACKED,
          .codec = bits > kNoisyDeltaBits ? CodecChoice::kNone : CodecChoice::kQuick};
}

ColumnEncoding for_floats(const arrow::ChunkedArray& values, double value_bits) {
  // A split column of measurements ends at 0.75 to 0.9 of its size; a dictionary must beat that clearly.
  if (dictionary_bits(values, value_bits) < 0.6 * value_bits) return kPackedDictionary;
  return {.encoding = parquet::Encoding::BYTE_STREAM_SPLIT};
}

ColumnEncoding for_integers(const arrow::ChunkedArray& values, double value_bits) {
  const double bits = delta_bits(values);
  return dictionary_bits(values, value_bits) < kIndexGrowthMax * bits ? kPackedDictionary : packed_deltas(bits);
}

ColumnEncoding for_strings(const arrow::ChunkedArray& values) {
  std::vector<std::uint64_t> keys = spread_sample(values);
  const std::size_t sampled = keys.size();
  std::ranges::sort(keys);
  const std::size_t distinct = sampled - std::ranges::unique(keys).size();
  if (distinct * 2 <= sampled) return kPackedDictionary;
  return {.codec = CodecChoice::kDense};
}

}  // namespace

ColumnEncoding choose_encoding(const model::DataType& type, ColumnRole role, const arrow::ChunkedArray& values) {
  if (role == ColumnRole::kTag) return kPackedDictionary;
  if (role == ColumnRole::kIndex) return packed_deltas(delta_bits(values));
  switch (type.id) {
    case TypeId::kBool:
      return {};
    case TypeId::kInt32:
      return for_integers(values, 32);
    case TypeId::kInt64:
    case TypeId::kUInt64:
    case TypeId::kTimestamp:
      return for_integers(values, 64);
    case TypeId::kFloat32:
      return for_floats(values, 32);
    case TypeId::kFloat64:
      return for_floats(values, 64);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return for_strings(values);
    default:
      return {.dictionary = true, .codec = CodecChoice::kDense};
  }
}

}  // namespace marigram::segment
