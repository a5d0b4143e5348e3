// A block of a native segment: the values of one column in one page, as bytes (docs/format/segment.md).
#pragma once

#include "codec/bit_writer.h"
#include "codec/integers.h"
#include "codec/packed_bits.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace marigram::segment {

/// How values of a column are kept; several types of columns share one. The numbers stand in files.
enum class ValueKind : std::uint8_t {
  kBool = 0,
  kInt32 = 1,
  kInt64 = 2,  // timestamps too
  kUInt64 = 3,
  kFloat32 = 4,
  kFloat64 = 5,
  kText = 6,  // any bytes
};

/// Values of one column, row by row.
struct BlockValues {
  std::vector<std::uint64_t> cells = {};  // but for texts: the bits of the value, int32 with its sign; a null is 0
  std::vector<std::string_view> texts = {};
  std::vector<std::uint8_t> valid = {};                         // 0: null, 1: a value; empty: no row is null
  std::vector<std::shared_ptr<const codec::Buffer>> held = {};  // what texts point into, where it is not a file
};

/// What a block says of its values without being decoded. Bits of values, as in BlockValues; all 0 for texts, and where
/// every row is null.
struct BlockStatistics {
  std::uint64_t nulls = 0;
  std::uint64_t first = 0;  // of those that are not null
  std::uint64_t last = 0;
  std::uint64_t least = 0;  // NaN only if nothing else is there
  std::uint64_t largest = 0;
  std::uint64_t sum = 0;       // floats: a float64, added up row by row; else the lower half of 128 bits
  std::uint64_t sum_rest = 0;  // floats: what that has lost (base/compensated_sum.h); else the upper half

  friend bool operator==(const BlockStatistics&, const BlockStatistics&) = default;
};

BlockStatistics statistics_of(ValueKind kind, std::size_t rows, const BlockValues& values);

/// Bytes of a value in a plain block; of a bool it takes a bit, of a text any number.
constexpr std::size_t plain_width(ValueKind kind) {
  return kind == ValueKind::kInt32 || kind == ValueKind::kFloat32 ? 4 : 8;
}

/// Appends a plain block, to begin at a multiple of 64 in its file; nothing if all rows are null.
void encode_plain(ValueKind kind, std::size_t rows, const BlockValues& values, codec::Buffer& out);
/// Appends a packed block; nothing if all rows are null.
void encode_packed(ValueKind kind, std::size_t rows, const BlockValues& values, codec::Method method,
                   codec::Buffer& out);

/// The values of a block, `out` empty before; texts point into the bytes. False if it is damaged, or not exactly as
/// long as its values need. Never reads outside the bytes.
bool decode_plain(codec::Bytes bytes, ValueKind kind, std::size_t rows, std::size_t nulls, BlockValues& out);
bool decode_packed(codec::Bytes bytes, ValueKind kind, std::size_t rows, std::size_t nulls, BlockValues& out);

/// Where the values of a plain block of numbers lie, each plain_width() long, row by row; `valid` as in BlockValues,
/// empty before. Null if the block is not exactly as long as they need, or is of bools, of texts or of nulls only.
const std::uint8_t* find_plain(codec::Bytes bytes, ValueKind kind, std::size_t rows, std::size_t nulls,
                               std::vector<std::uint8_t>& valid);

/// Times of the rows of several series, which have that many rows each, at least one: their first times, then the
/// differences of neighbours within a series, so that series which tick alike cost next to nothing.
void encode_series_times(std::span<const std::int64_t> times, std::span<const std::uint32_t> series_rows,
                         codec::Method method, codec::Buffer& out);
bool decode_series_times(codec::Bytes bytes, std::span<const std::uint32_t> series_rows, std::span<std::int64_t> times);

}  // namespace marigram::segment
