#include "head/chunk.h"

#include "codec/doubles.h"
#include "codec/integers.h"
#include "codec/strings.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

namespace marigram::head {
namespace {

enum class Nulls : std::uint8_t { kAll = 0, kNone = 1, kSome = 2 };

constexpr std::size_t bitmap_bytes(std::size_t rows) {
  return (rows + 7) / 8;
}

template <typename T, typename From>
std::vector<T> valid_values(const std::vector<From>& values, const Column& column, std::size_t begin, std::size_t end) {
  std::vector<T> chosen;
  chosen.reserve(end - begin);
  for (std::size_t row = begin; row < end; ++row) {
    if (column.valid[row] == 0) continue;
    if constexpr (std::is_same_v<T, From>) {
      chosen.push_back(values[row]);
    } else {
      chosen.push_back(std::bit_cast<T>(values[row]));
    }
  }
  return chosen;
}

void encode_values(const Column& column, model::FieldType type, std::size_t begin, std::size_t end,
                   codec::Buffer& out) {
  if (type == model::FieldType::kString) {
    codec::encode_strings(valid_values<std::string_view>(column.strings, column, begin, end), out);
  } else if (type == model::FieldType::kFloat64) {
    codec::encode_doubles(valid_values<double>(column.cells, column, begin, end), out);
  } else {
    codec::encode_integers(valid_values<std::int64_t>(column.cells, column, begin, end), 0, out);
  }
}

Nulls nulls_of(const Column& column, std::size_t begin, std::size_t end) {
  const auto first = column.valid.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto count = std::count(first, first + static_cast<std::ptrdiff_t>(end - begin), 0);
  if (count == 0) return Nulls::kNone;
  return count == static_cast<std::ptrdiff_t>(end - begin) ? Nulls::kAll : Nulls::kSome;
}

/// What a field's part begins with.
struct PartForm {
  bool tells_nulls = false;
  bool tells_bytes = false;
};

PartForm form_of(std::size_t field, std::size_t fields, bool has_nulls) {
  return {.tells_nulls = has_nulls, .tells_bytes = field + 1 < fields};
}

void encode_column(const Column& column, PartForm form, std::size_t begin, std::size_t end, codec::Buffer& out) {
  const Nulls nulls = nulls_of(column, begin, end);
  codec::Buffer block;
  if (nulls == Nulls::kSome) {
    block.resize(bitmap_bytes(end - begin));
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t bit = row - begin;
      block[bit / 8] |= static_cast<std::uint8_t>((column.valid[row] != 0 ? 1U : 0U) << bit % 8);
    }
  }
  if (nulls != Nulls::kAll) encode_values(column, column.type, begin, end, block);
  if (form.tells_nulls) out.push_back(static_cast<std::uint8_t>(nulls));
  if (form.tells_bytes) codec::put_uleb128(block.size(), out);
  out.insert(out.end(), block.begin(), block.end());
}

/// One field's part of a chunk.
struct Part {
  Nulls nulls = Nulls::kNone;
  codec::Bytes bytes;
};

std::optional<Part> take_part(codec::Bytes& bytes, PartForm form) {
  Part part;
  if (form.tells_nulls) {
    if (bytes.empty() || bytes.front() > static_cast<std::uint8_t>(Nulls::kSome)) return std::nullopt;
    part.nulls = static_cast<Nulls>(bytes.front());
    bytes = bytes.subspan(1);
  }
  const auto size = form.tells_bytes ? codec::take_uleb128(bytes) : bytes.size();
  if (!size || *size > bytes.size()) return std::nullopt;
  part.bytes = bytes.first(*size);
  bytes = bytes.subspan(*size);
  return part;
}

/// Decodes `count` values to the end of the column.
template <typename T, typename Decode>
bool decode_to(std::vector<T>& out, std::size_t count, Decode decode) {
  const std::size_t before = out.size();
  out.resize(before + count);
  return decode(std::span(out).subspan(before));
}

bool decode_values(codec::Bytes bytes, model::FieldType type, std::size_t count, Column& out) {
  if (count == 0) return true;
  if (type == model::FieldType::kString) {
    return decode_to(out.strings, count, [&](auto values) { return codec::decode_strings(bytes, values); });
  }
  return decode_to(out.cells, count, [&](auto values) {
    return type == model::FieldType::kFloat64 ? codec::decode_doubles(bytes, values)
                                              : codec::decode_integers(bytes, 0, values);
  });
}

/// Moves the values at the end of a column, one for each valid row from `begin` on, to their rows.
template <typename T>
void spread(std::vector<T>& values, std::size_t begin, const std::vector<std::uint8_t>& valid) {
  std::size_t from = values.size();
  values.resize(valid.size());
  for (std::size_t row = valid.size(); row-- > begin;) values[row] = valid[row] != 0 ? values[--from] : T{};
}

bool decode_some(codec::Bytes bytes, model::FieldType type, std::size_t count, Column& out) {
  if (bytes.size() < bitmap_bytes(count)) return false;
  const std::size_t begin = out.valid.size();
  std::size_t there = 0;
  for (std::size_t row = 0; row < count; ++row) {
    out.valid.push_back(bytes[row / 8] >> row % 8 & 1U);
    there += out.valid.back();
  }
  if (!decode_values(bytes.subspan(bitmap_bytes(count)), type, there, out)) return false;
  if (out.is_text()) {
    spread(out.strings, begin, out.valid);
  } else {
    spread(out.cells, begin, out.valid);
  }
  return true;
}

bool decode_part(const Part& part, model::FieldType type, std::size_t count, Column& out) {
  switch (part.nulls) {
    case Nulls::kAll:
      out.append_nulls(count);
      return true;
    case Nulls::kNone:
      out.valid.resize(out.valid.size() + count, 1);
      return decode_values(part.bytes, type, count, out);
    case Nulls::kSome:
      return decode_some(part.bytes, type, count, out);
  }
  return false;
}

}  // namespace

ChunkInfo encode_chunk(const Rows& rows, std::size_t begin, std::size_t end, codec::Buffer& out) {
  const auto has_nulls = [&](const Column& column) { return nulls_of(column, begin, end) != Nulls::kNone; };
  const ChunkInfo info{.rows = static_cast<std::uint16_t>(end - begin),
                       .has_nulls = std::ranges::any_of(rows.columns, has_nulls),
                       .min = rows.times[begin]};
  codec::encode_integers(std::span(rows.times).subspan(begin, end - begin), info.min, out);
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    encode_column(rows.columns[i], form_of(i, rows.columns.size(), info.has_nulls), begin, end, out);
  }
  return info;
}

bool decode_chunk(codec::Bytes bytes, const ChunkInfo& info, const Fields& fields,
                  std::span<const std::uint32_t> chosen, Rows& out) {
  const std::size_t count = info.rows;
  const auto decode_times = [&](auto times) { return codec::decode_integers(bytes, info.min, times); };
  if (!decode_to(out.times, count, decode_times)) return false;
  std::vector<Part> parts;
  parts.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto part = take_part(bytes, form_of(i, fields.size(), info.has_nulls));
    if (!part) return false;
    parts.push_back(*part);
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::uint32_t field = chosen[i];
    if (field >= fields.size()) {
      out.columns[i].append_nulls(count);
    } else if (!decode_part(parts[field], fields[field].type, count, out.columns[i])) {
      return false;
    }
  }
  return true;
}

std::span<const ChunkEntry> ChunkRun::find(SeriesId id) const {
  const auto found = std::ranges::equal_range(entries, id, {}, &ChunkEntry::series);
  return {found.begin(), found.end()};
}

std::size_t ChunkRun::rows() const {
  std::size_t rows = 0;
  for (const ChunkEntry& entry : entries) rows += entry.info.rows;
  return rows;
}

ChunkRunPtr merge_chunks(const ChunkRun& older, const ChunkRun& newer, MemoryBudget& budget) {
  auto merged = std::make_shared<ChunkRun>();
  merged->fields = newer.fields;
  merged->bytes.reserve(older.bytes.size() + newer.bytes.size());
  merged->bytes = older.bytes;
  merged->bytes.insert(merged->bytes.end(), newer.bytes.begin(), newer.bytes.end());
  merged->entries.reserve(older.entries.size() + newer.entries.size());
  auto moved = newer.entries;
  for (ChunkEntry& entry : moved) entry.begin += older.bytes.size();
  std::ranges::merge(older.entries, moved, std::back_inserter(merged->entries), {}, &ChunkEntry::series,
                     &ChunkEntry::series);
  merged->charge = MemoryCharge(budget, merged->bytes.capacity() + merged->entries.capacity() * sizeof(ChunkEntry));
  return merged;
}

}  // namespace marigram::head
