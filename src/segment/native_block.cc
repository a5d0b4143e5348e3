#include "segment/native_block.h"

#include "base/compensated_sum.h"
#include "codec/doubles.h"
#include "codec/integers.h"
#include "codec/strings.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

namespace marigram::segment {
namespace {

using codec::Buffer;
using codec::Bytes;

constexpr std::size_t kBitmapAlignment = 8;

bool is_float(ValueKind kind) {
  return kind == ValueKind::kFloat32 || kind == ValueKind::kFloat64;
}

double as_double(ValueKind kind, std::uint64_t cell) {
  return kind == ValueKind::kFloat32 ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(cell)))
                                     : std::bit_cast<double>(cell);
}

std::size_t bitmap_bytes(std::size_t rows) {
  return (rows + 7) / 8;
}

void put_bitmap(std::span<const std::uint8_t> valid, Buffer& out) {
  const std::size_t begin = out.size();
  out.resize(begin + bitmap_bytes(valid.size()));
  for (std::size_t row = 0; row < valid.size(); ++row) {
    out[begin + row / 8] |= static_cast<std::uint8_t>(valid[row] << row % 8);
  }
}

/// False unless exactly `nulls` of the bits say so, and those behind the last row are zero.
bool take_bitmap(Bytes& bytes, std::size_t rows, std::size_t nulls, std::vector<std::uint8_t>& valid) {
  const std::size_t size = bitmap_bytes(rows);
  if (bytes.size() < size) return false;
  std::size_t there = 0;
  for (const std::uint8_t byte : bytes.first(size)) there += static_cast<std::size_t>(std::popcount(byte));
  if (there != rows - nulls || (rows % 8 != 0 && bytes[size - 1] >> rows % 8 != 0)) return false;
  valid.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) valid[row] = bytes[row / 8] >> row % 8 & 1U;
  bytes = bytes.subspan(size);
  return true;
}

// ---- statistics ----

/// Of values that compare as T does.
template <typename T>
void compare(std::uint64_t cell, T value, T& least, T& largest, bool begins, BlockStatistics& statistics) {
  if (begins || value < least) {
    least = value;
    statistics.least = cell;
  }
  if (begins || largest < value) {
    largest = value;
    statistics.largest = cell;
  }
}

template <typename Visit>
void for_each_valid(std::size_t rows, const BlockValues& values, Visit visit) {
  for (std::size_t row = 0; row < rows; ++row) {
    if (values.valid.empty() || values.valid[row] != 0) visit(values.cells[row]);
  }
}

void add_floats(ValueKind kind, std::size_t rows, const BlockValues& values, BlockStatistics& statistics) {
  CompensatedSum sum;
  double least = 0;
  double largest = 0;
  bool has_number = false;
  for_each_valid(rows, values, [&](std::uint64_t cell) {
    const double value = as_double(kind, cell);
    sum.add(value);
    if (std::isnan(value)) return;
    compare(cell, value, least, largest, !has_number, statistics);
    has_number = true;
  });
  if (!has_number) statistics.least = statistics.largest = statistics.first;
  statistics.sum = std::bit_cast<std::uint64_t>(sum.sum());
  statistics.sum_rest = std::bit_cast<std::uint64_t>(sum.lost());
}

template <typename T>
void add_integers(std::size_t rows, const BlockValues& values, BlockStatistics& statistics) {
  __extension__ using Wide = __int128;
  Wide sum = 0;
  T least = 0;
  T largest = 0;
  bool begins = true;
  for_each_valid(rows, values, [&](std::uint64_t cell) {
    const auto value = static_cast<T>(cell);
    sum += value;
    compare(cell, value, least, largest, begins, statistics);
    begins = false;
  });
  statistics.sum = static_cast<std::uint64_t>(sum);
  statistics.sum_rest = static_cast<std::uint64_t>(sum >> 64);
}

// ---- plain ----

template <typename T>
void put_plain(std::span<const std::uint64_t> cells, Buffer& out) {
  const std::size_t begin = out.size();
  out.resize(begin + cells.size() * sizeof(T));
  std::uint8_t* to = out.data() + begin;
  for (const std::uint64_t cell : cells) {
    const auto value = static_cast<T>(cell);
    std::memcpy(to, &value, sizeof(T));
    to += sizeof(T);
  }
}

/// `T` signed: the sign is kept.
template <typename T>
bool take_plain(Bytes& bytes, std::size_t rows, std::vector<std::uint64_t>& cells) {
  if (bytes.size() < rows * sizeof(T)) return false;
  cells.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    T value{};
    std::memcpy(&value, bytes.data() + row * sizeof(T), sizeof(T));
    cells[row] = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  }
  bytes = bytes.subspan(rows * sizeof(T));
  return true;
}

void put_plain_texts(std::span<const std::string_view> texts, Buffer& out) {
  std::vector<std::uint64_t> ends = {0};
  ends.reserve(texts.size() + 1);
  for (const std::string_view text : texts) ends.push_back(ends.back() + text.size());
  put_plain<std::uint32_t>(ends, out);
  for (const std::string_view text : texts) out.insert(out.end(), text.begin(), text.end());
}

bool take_plain_texts(Bytes& bytes, std::size_t rows, std::vector<std::string_view>& texts) {
  std::vector<std::uint64_t> ends;
  if (!take_plain<std::uint32_t>(bytes, rows + 1, ends) || ends.front() != 0 || !std::ranges::is_sorted(ends) ||
      ends.back() > bytes.size()) {
    return false;
  }
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  texts.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) texts[row] = all.substr(ends[row], ends[row + 1] - ends[row]);
  bytes = bytes.subspan(ends.back());
  return true;
}

/// What stands behind the values of a plain block, which take `size` bytes: which rows are not null.
bool take_plain_end(Bytes bytes, std::size_t size, std::size_t rows, std::size_t nulls,
                    std::vector<std::uint8_t>& valid) {
  if (nulls == 0) return bytes.empty();
  const std::size_t padding = (kBitmapAlignment - size % kBitmapAlignment) % kBitmapAlignment;
  if (bytes.size() < padding) return false;
  bytes = bytes.subspan(padding);
  return take_bitmap(bytes, rows, nulls, valid) && bytes.empty();
}

// ---- packed ----

std::vector<std::uint64_t> valid_cells(std::size_t rows, const BlockValues& values) {
  std::vector<std::uint64_t> cells;
  cells.reserve(rows);
  for_each_valid(rows, values, [&](std::uint64_t cell) { cells.push_back(cell); });
  return cells;
}

std::vector<std::int64_t> as_integers(std::span<const std::uint64_t> cells) {
  std::vector<std::int64_t> integers(cells.size());
  std::ranges::transform(cells, integers.begin(), [](std::uint64_t cell) { return static_cast<std::int64_t>(cell); });
  return integers;
}

/// Floats of 32 bits as ones of 64, which every one is but for NaN: then their bits, as integers.
bool are_doubles(std::span<const std::uint64_t> cells) {
  return std::ranges::none_of(cells,
                              [](std::uint64_t cell) { return std::isnan(as_double(ValueKind::kFloat32, cell)); });
}

void put_packed(ValueKind kind, std::span<const std::uint64_t> cells, codec::Method method, Buffer& out) {
  if (kind == ValueKind::kFloat32) {
    const bool doubles = are_doubles(cells);
    out.push_back(doubles ? 1 : 0);
    if (!doubles) return codec::encode_integers(as_integers(cells), 0, out, method);
  }
  if (!is_float(kind)) return codec::encode_integers(as_integers(cells), 0, out, method);
  std::vector<double> doubles(cells.size());
  std::ranges::transform(cells, doubles.begin(), [kind](std::uint64_t cell) { return as_double(kind, cell); });
  codec::encode_doubles(doubles, out, method);
}

/// Whether a value of 64 bits is one of the kind.
bool fits(ValueKind kind, std::uint64_t cell) {
  const auto value = static_cast<std::int64_t>(cell);
  switch (kind) {
    case ValueKind::kBool:
      return cell <= 1;
    case ValueKind::kInt32:
      return std::in_range<std::int32_t>(value);
    case ValueKind::kFloat32:
      return cell <= std::numeric_limits<std::uint32_t>::max();
    default:
      return true;
  }
}

bool take_doubles(Bytes& bytes, ValueKind kind, std::span<std::uint64_t> cells) {
  if (!codec::decode_doubles(bytes, cells)) return false;
  if (kind == ValueKind::kFloat64) return true;
  std::ranges::transform(cells, cells.begin(), [](std::uint64_t cell) {
    return std::uint64_t{std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(cell)))};
  });
  return true;
}

bool take_packed(Bytes& bytes, ValueKind kind, std::span<std::uint64_t> cells) {
  bool doubles = is_float(kind);
  if (kind == ValueKind::kFloat32) {
    if (bytes.empty() || bytes.front() > 1) return false;
    doubles = bytes.front() == 1;
    bytes = bytes.subspan(1);
  }
  if (doubles) return take_doubles(bytes, kind, cells);
  if (!codec::decode_integers(bytes, 0, cells)) return false;
  const bool may_be_any = kind == ValueKind::kInt64 || kind == ValueKind::kUInt64;
  return may_be_any || std::ranges::all_of(cells, [kind](std::uint64_t cell) { return fits(kind, cell); });
}

/// Moves values, one for each valid row, to their rows.
template <typename T>
void spread(std::vector<T>& values, const std::vector<std::uint8_t>& valid) {
  std::size_t from = values.size();
  values.resize(valid.size());
  for (std::size_t row = valid.size(); row-- > 0;) values[row] = valid[row] != 0 ? values[--from] : T{};
}

void set_all_null(ValueKind kind, std::size_t rows, BlockValues& out) {
  out.valid.assign(rows, 0);
  if (kind == ValueKind::kText) {
    out.texts.resize(rows);
  } else {
    out.cells.resize(rows);
  }
}

}  // namespace

BlockStatistics statistics_of(ValueKind kind, std::size_t rows, const BlockValues& values) {
  BlockStatistics statistics;
  statistics.nulls = static_cast<std::uint64_t>(std::ranges::count(values.valid, 0));
  if (kind == ValueKind::kText || statistics.nulls == rows) return statistics;
  bool begins = true;
  for_each_valid(rows, values, [&](std::uint64_t cell) {
    if (begins) statistics.first = cell;
    begins = false;
    statistics.last = cell;
  });
  if (is_float(kind)) {
    add_floats(kind, rows, values, statistics);
  } else if (kind == ValueKind::kUInt64) {
    add_integers<std::uint64_t>(rows, values, statistics);
  } else {
    add_integers<std::int64_t>(rows, values, statistics);
  }
  return statistics;
}

void encode_plain(ValueKind kind, std::size_t rows, const BlockValues& values, Buffer& out) {
  const auto nulls = static_cast<std::size_t>(std::ranges::count(values.valid, 0));
  if (nulls == rows) return;
  const std::size_t begin = out.size();
  if (kind == ValueKind::kText) {
    put_plain_texts(values.texts, out);
  } else if (kind == ValueKind::kBool) {
    put_bitmap(std::vector<std::uint8_t>(values.cells.begin(), values.cells.end()), out);
  } else if (plain_width(kind) == 4) {
    put_plain<std::uint32_t>(values.cells, out);
  } else {
    put_plain<std::uint64_t>(values.cells, out);
  }
  if (nulls == 0) return;
  out.resize(begin + (out.size() - begin + kBitmapAlignment - 1) / kBitmapAlignment * kBitmapAlignment);
  put_bitmap(values.valid, out);
}

void encode_packed(ValueKind kind, std::size_t rows, const BlockValues& values, codec::Method method, Buffer& out) {
  const auto nulls = static_cast<std::size_t>(std::ranges::count(values.valid, 0));
  if (nulls == rows) return;
  if (nulls > 0) put_bitmap(values.valid, out);
  if (kind != ValueKind::kText) return put_packed(kind, valid_cells(rows, values), method, out);
  std::vector<std::string_view> texts;
  texts.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    if (nulls == 0 || values.valid[row] != 0) texts.push_back(values.texts[row]);
  }
  codec::encode_strings(texts, out, method);
}

bool decode_plain(Bytes bytes, ValueKind kind, std::size_t rows, std::size_t nulls, BlockValues& out) {
  if (nulls > rows) return false;
  if (nulls == rows) {
    set_all_null(kind, rows, out);
    return bytes.empty();
  }
  const std::size_t size = bytes.size();
  bool taken = false;
  switch (kind) {
    case ValueKind::kText:
      taken = take_plain_texts(bytes, rows, out.texts);
      break;
    case ValueKind::kBool: {
      taken = bytes.size() >= bitmap_bytes(rows);
      out.cells.resize(taken ? rows : 0);
      for (std::size_t row = 0; row < out.cells.size(); ++row) out.cells[row] = bytes[row / 8] >> row % 8 & 1U;
      if (taken) bytes = bytes.subspan(bitmap_bytes(rows));
      break;
    }
    case ValueKind::kInt32:
      taken = take_plain<std::int32_t>(bytes, rows, out.cells);
      break;
    case ValueKind::kFloat32:
      taken = take_plain<std::uint32_t>(bytes, rows, out.cells);
      break;
    default:
      taken = take_plain<std::uint64_t>(bytes, rows, out.cells);
  }
  return taken && take_plain_end(bytes, size - bytes.size(), rows, nulls, out.valid);
}

const std::uint8_t* find_plain(Bytes bytes, ValueKind kind, std::size_t rows, std::size_t nulls,
                               std::vector<std::uint8_t>& valid) {
  if (kind == ValueKind::kBool || kind == ValueKind::kText || nulls >= rows) return nullptr;
  const std::size_t size = rows * plain_width(kind);
  if (bytes.size() < size || !take_plain_end(bytes.subspan(size), size, rows, nulls, valid)) return nullptr;
  return bytes.data();
}

bool decode_packed(Bytes bytes, ValueKind kind, std::size_t rows, std::size_t nulls, BlockValues& out) {
  if (nulls > rows) return false;
  if (nulls == rows) {
    set_all_null(kind, rows, out);
    return bytes.empty();
  }
  if (nulls > 0 && !take_bitmap(bytes, rows, nulls, out.valid)) return false;
  if (kind == ValueKind::kText) {
    out.texts.resize(rows - nulls);
    if (!codec::decode_strings(bytes, out.texts)) return false;
    if (nulls > 0) spread(out.texts, out.valid);
  } else {
    out.cells.resize(rows - nulls);
    if (!take_packed(bytes, kind, out.cells)) return false;
    if (nulls > 0) spread(out.cells, out.valid);
  }
  return bytes.empty();
}

void encode_series_times(std::span<const std::int64_t> times, std::span<const std::uint32_t> series_rows,
                         codec::Method method, Buffer& out) {
  std::vector<std::int64_t> firsts;
  std::vector<std::int64_t> steps;
  firsts.reserve(series_rows.size());
  steps.reserve(times.size());
  std::size_t at = 0;
  for (const std::uint32_t rows : series_rows) {
    firsts.push_back(times[at]);
    for (std::size_t i = at + 1; i < at + rows; ++i) {
      steps.push_back(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(times[i]) - static_cast<std::uint64_t>(times[i - 1])));
    }
    at += rows;
  }
  codec::encode_integers(firsts, 0, out, method);
  if (!steps.empty()) codec::encode_integers(steps, 0, out, method);
}

bool decode_series_times(Bytes bytes, std::span<const std::uint32_t> series_rows, std::span<std::int64_t> times) {
  std::vector<std::int64_t> firsts(series_rows.size());
  std::vector<std::int64_t> steps(times.size() - series_rows.size());
  if (!codec::decode_integers(bytes, 0, firsts)) return false;
  if (!steps.empty() && !codec::decode_integers(bytes, 0, steps)) return false;
  if (!bytes.empty()) return false;
  std::size_t at = 0;
  auto step = steps.begin();
  for (std::size_t i = 0; i < series_rows.size(); ++i) {
    times[at] = firsts[i];
    for (const std::size_t end = at + series_rows[i]; ++at < end; ++step) {
      times[at] =
          static_cast<std::int64_t>(static_cast<std::uint64_t>(times[at - 1]) + static_cast<std::uint64_t>(*step));
    }
  }
  return true;
}

}  // namespace marigram::segment
