#include "segment/native_structure.h"

#include "base/try.h"
#include "codec/integers.h"
#include "segment/native_bytes.h"
#include "segment/native_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace marigram::segment {
namespace {

using codec::Buffer;
using codec::Bytes;

constexpr unsigned kFormBits = 4;               // of the byte that says a block's form; above them its codec
constexpr std::size_t kBlockEntryBytesMin = 5;  // of one block in the section of columns
constexpr std::size_t kColumnsMax = 1U << 16U;

// ---- numbers and texts ----

void put_text(std::string_view text, Buffer& out) {
  codec::put_uleb128(text.size(), out);
  out.insert(out.end(), text.begin(), text.end());
}

std::optional<std::string> take_text(Bytes& bytes) {
  const auto size = codec::take_uleb128(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const Bytes text = bytes.first(*size);
  bytes = bytes.subspan(*size);
  return std::string(text.begin(), text.end());
}

template <typename T>
void put_integers(std::span<const T> numbers, Buffer& out) {
  if (numbers.empty()) return;
  std::vector<std::int64_t> integers(numbers.size());
  std::ranges::transform(numbers, integers.begin(), [](T number) { return static_cast<std::int64_t>(number); });
  codec::encode_integers(integers, 0, out);
}

/// Unset unless all are in [least, most].
std::optional<std::vector<std::uint64_t>> take_integers(Bytes& bytes, std::size_t count, std::uint64_t least,
                                                        std::uint64_t most) {
  std::vector<std::int64_t> integers(count);
  if (count > 0 && !codec::decode_integers(bytes, 0, integers)) return std::nullopt;
  std::vector<std::uint64_t> numbers(integers.begin(), integers.end());
  const auto is_wrong = [&](std::uint64_t number) { return number < least || number > most; };
  if (std::ranges::any_of(numbers, is_wrong)) return std::nullopt;
  return numbers;
}

std::vector<std::uint32_t> lengths_of(std::span<const std::uint64_t> ends) {
  std::vector<std::uint32_t> lengths(ends.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    lengths[i] = static_cast<std::uint32_t>(ends[i] - (i == 0 ? 0 : ends[i - 1]));
  }
  return lengths;
}

std::vector<std::uint64_t> ends_of(std::span<const std::uint64_t> lengths) {
  std::vector<std::uint64_t> ends(lengths.size());
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) ends[i] = end += lengths[i];
  return ends;
}

// ---- schema ----

void put_schema(const NativeStructure& structure, Buffer& out) {
  put_number<std::uint64_t>(structure.rows(), out);
  codec::put_uleb128(structure.columns.size(), out);
  for (const NativeColumn& column : structure.columns) {
    out.push_back(static_cast<std::uint8_t>(column.role));
    out.push_back(static_cast<std::uint8_t>(column.kind));
    out.push_back(column.nullable ? 1 : 0);
    put_text(column.name, out);
    put_text(column.type, out);
  }
}

std::optional<NativeColumn> take_column(Bytes& bytes) {
  const auto role = take_number<std::uint8_t>(bytes);
  const auto kind = take_number<std::uint8_t>(bytes);
  const auto nullable = take_number<std::uint8_t>(bytes);
  auto name = take_text(bytes);
  auto type = take_text(bytes);
  if (!role || *role > static_cast<std::uint8_t>(NativeRole::kField) || !kind || !nullable || *nullable > 1 ||
      *kind > static_cast<std::uint8_t>(ValueKind::kText) || !name || !type) {
    return std::nullopt;
  }
  return NativeColumn{.name = std::move(*name),
                      .type = std::move(*type),
                      .role = static_cast<NativeRole>(*role),
                      .kind = static_cast<ValueKind>(*kind),
                      .nullable = *nullable == 1};
}

/// Whether a column of that role may hold such values.
bool is_sound(const NativeColumn& column) {
  switch (column.role) {
    case NativeRole::kTime:
      return (column.kind == ValueKind::kInt64 || column.kind == ValueKind::kUInt64) && !column.nullable;
    case NativeRole::kTag:
      return column.kind != ValueKind::kBool && column.kind != ValueKind::kFloat32 &&
             column.kind != ValueKind::kFloat64;
    case NativeRole::kField:
      return true;
  }
  return false;
}

bool take_schema(Bytes bytes, std::uint64_t& rows, NativeStructure& structure) {
  const auto all_rows = take_number<std::uint64_t>(bytes);
  const auto columns = codec::take_uleb128(bytes);
  if (!all_rows || !columns || *columns > kColumnsMax) return false;
  rows = *all_rows;
  for (std::uint64_t i = 0; i < *columns; ++i) {
    auto column = take_column(bytes);
    if (!column || !is_sound(*column)) return false;
    structure.columns.push_back(std::move(*column));
  }
  const auto times = std::ranges::count(structure.columns, NativeRole::kTime, &NativeColumn::role);
  return bytes.empty() && times == 1 && std::ranges::is_sorted(structure.columns, {}, &NativeColumn::role);
}

// ---- series ----

std::vector<ValueKind> tag_kinds(std::span<const NativeColumn> columns) {
  std::vector<ValueKind> kinds;
  for (const NativeColumn& column : columns) {
    if (column.role == NativeRole::kTag) kinds.push_back(column.kind);
  }
  return kinds;
}

std::size_t count_of(ValueKind kind, const BlockValues& values) {
  return kind == ValueKind::kText ? values.texts.size() : values.cells.size();
}

void put_series(const NativeStructure& structure, Buffer& out) {
  codec::put_uleb128(structure.series(), out);
  const std::vector<ValueKind> kinds = tag_kinds(structure.columns);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const NativeTag& tag = structure.tags[i];
    Buffer values;
    encode_packed(kinds[i], count_of(kinds[i], tag.values), tag.values, codec::Method::kAuto, values);
    codec::put_uleb128(count_of(kinds[i], tag.values), out);
    codec::put_uleb128(values.size(), out);
    out.insert(out.end(), values.begin(), values.end());
    put_integers<std::uint32_t>(tag.of_series, out);
  }
  put_integers<std::uint32_t>(lengths_of(structure.series_ends), out);
}

bool ascend(ValueKind kind, const BlockValues& values) {
  if (kind == ValueKind::kText) return std::ranges::is_sorted(values.texts, std::ranges::less_equal());
  if (kind == ValueKind::kUInt64) return std::ranges::is_sorted(values.cells, std::ranges::less_equal());
  const auto is_less_equal = [](std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(a) <= static_cast<std::int64_t>(b);
  };
  return std::ranges::is_sorted(values.cells, is_less_equal);
}

std::optional<NativeTag> take_tag(Bytes& bytes, ValueKind kind, std::size_t series) {
  const auto values = codec::take_uleb128(bytes);
  const auto size = codec::take_uleb128(bytes);
  if (!values || !size || *values > series || *size > bytes.size()) return std::nullopt;
  NativeTag tag;
  if (!decode_packed(bytes.first(*size), kind, *values, 0, tag.values) || !ascend(kind, tag.values))
    return std::nullopt;
  bytes = bytes.subspan(*size);
  const auto of_series = take_integers(bytes, series, 0, *values - 1);
  if (!of_series) return std::nullopt;
  tag.of_series.assign(of_series->begin(), of_series->end());
  return tag;
}

/// Whether series ascend by their tags, none twice.
bool series_ascend(const NativeStructure& structure) {
  for (std::size_t i = 1; i < structure.series(); ++i) {
    const auto differs = [i](const NativeTag& tag) { return tag.of_series[i] != tag.of_series[i - 1]; };
    const auto tag = std::ranges::find_if(structure.tags, differs);
    if (tag == structure.tags.end() || tag->of_series[i] < tag->of_series[i - 1]) return false;
  }
  return true;
}

bool take_series(Bytes bytes, std::uint64_t rows, NativeStructure& structure) {
  const auto series = codec::take_uleb128(bytes);
  if (!series || *series > kNativeSeriesMax || *series > rows) return false;
  for (const ValueKind kind : tag_kinds(structure.columns)) {
    auto tag = take_tag(bytes, kind, *series);
    if (!tag) return false;
    structure.tags.push_back(std::move(*tag));
  }
  const auto lengths = take_integers(bytes, *series, 1, std::numeric_limits<std::uint32_t>::max());
  if (!lengths || !bytes.empty()) return false;
  structure.series_ends = ends_of(*lengths);
  return structure.rows() == rows && series_ascend(structure);
}

// ---- pages ----

/// A page holds rows of one series, or all rows of several.
bool borders_fit(const NativeStructure& structure) {
  const auto& series = structure.series_ends;
  std::uint64_t begin = 0;
  for (const std::uint64_t end : structure.page_ends) {
    const auto first = std::ranges::upper_bound(series, begin);  // the series of the page's first row
    if (first == series.end()) return false;
    const std::uint64_t first_begin = first == series.begin() ? 0 : *(first - 1);
    const bool one = end <= *first;
    if (!one && (begin != first_begin || !std::ranges::binary_search(series, end))) return false;
    begin = end;
  }
  return begin == structure.rows();
}

bool take_pages(Bytes bytes, std::size_t pages, NativeStructure& structure) {
  const auto lengths = take_integers(bytes, pages, 1, kPageRowsMax);
  if (!lengths || !bytes.empty()) return false;
  structure.page_ends = ends_of(*lengths);
  return borders_fit(structure);
}

// ---- columns ----

void put_cells(ValueKind kind, std::vector<std::uint64_t> cells, Buffer& out) {
  const std::size_t count = cells.size();
  Buffer block;
  encode_packed(kind, count, {.cells = std::move(cells)}, codec::Method::kAuto, block);
  codec::put_uleb128(block.size(), out);
  out.insert(out.end(), block.begin(), block.end());
}

std::optional<std::vector<std::uint64_t>> take_cells(Bytes& bytes, ValueKind kind, std::size_t count) {
  const auto size = codec::take_uleb128(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  BlockValues values;
  if (!decode_packed(bytes.first(*size), kind, count, 0, values)) return std::nullopt;
  bytes = bytes.subspan(*size);
  return std::move(values.cells);
}

/// A number of the statistics, and what it is kept as.
struct Statistic {
  std::uint64_t BlockStatistics::* member;
  ValueKind kind;
};

std::vector<Statistic> statistics_of_kind(ValueKind kind) {
  if (kind == ValueKind::kText) return {};
  const bool is_float = kind == ValueKind::kFloat32 || kind == ValueKind::kFloat64;
  return {{&BlockStatistics::first, kind},
          {&BlockStatistics::last, kind},
          {&BlockStatistics::least, kind},
          {&BlockStatistics::largest, kind},
          {&BlockStatistics::sum, is_float ? ValueKind::kFloat64 : ValueKind::kUInt64},
          {&BlockStatistics::sum_rest, is_float ? ValueKind::kFloat64 : ValueKind::kInt64}};
}

template <typename T, typename Of>
std::vector<T> each(std::span<const NativeBlock> blocks, Of of) {
  std::vector<T> values(blocks.size());
  std::ranges::transform(blocks, values.begin(), of);
  return values;
}

void put_blocks(std::span<const NativeBlock> blocks, ValueKind kind, Buffer& out) {
  put_integers<std::uint64_t>(each<std::uint64_t>(blocks, [](const auto& block) { return block.offset; }), out);
  put_integers<std::uint64_t>(each<std::uint64_t>(blocks, [](const auto& block) { return block.bytes; }), out);
  for (const NativeBlock& block : blocks) put_number(block.checksum, out);
  for (const NativeBlock& block : blocks) {
    out.push_back(
        static_cast<std::uint8_t>(static_cast<unsigned>(block.form) | static_cast<unsigned>(block.codec) << kFormBits));
  }
  put_integers<std::uint64_t>(each<std::uint64_t>(blocks, [](const auto& block) { return block.statistics.nulls; }),
                              out);
  for (const Statistic& statistic : statistics_of_kind(kind)) {
    const auto value = [&](const NativeBlock& block) { return block.statistics.*statistic.member; };
    put_cells(statistic.kind, each<std::uint64_t>(blocks, value), out);
  }
}

bool take_blocks(Bytes& bytes, ValueKind kind, std::span<NativeBlock> blocks) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto offsets = take_integers(bytes, blocks.size(), 0, kMost);
  const auto sizes = take_integers(bytes, blocks.size(), 0, kMost);
  if (!offsets || !sizes || bytes.size() < kBlockEntryBytesMin * blocks.size()) return false;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].offset = (*offsets)[i];
    blocks[i].bytes = (*sizes)[i];
    blocks[i].checksum = *take_number<std::uint32_t>(bytes);
  }
  for (NativeBlock& block : blocks) {
    const auto byte = *take_number<std::uint8_t>(bytes);
    const unsigned form = byte & ((1U << kFormBits) - 1);
    const unsigned codec = byte >> kFormBits;
    if (form > static_cast<unsigned>(BlockForm::kSeriesTimes)) return false;
    if (codec > static_cast<unsigned>(ByteCodec::kSnappy)) return false;
    block.form = static_cast<BlockForm>(form);
    block.codec = static_cast<ByteCodec>(codec);
  }
  const auto nulls = take_integers(bytes, blocks.size(), 0, kPageRowsMax);
  if (!nulls) return false;
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].statistics.nulls = (*nulls)[i];
  for (const Statistic& statistic : statistics_of_kind(kind)) {
    const auto cells = take_cells(bytes, statistic.kind, blocks.size());
    if (!cells) return false;
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].statistics.*statistic.member = (*cells)[i];
  }
  return true;
}

bool fits(const NativeBlock& block, const NativeColumn& column, std::uint64_t rows) {
  const std::uint64_t nulls = block.statistics.nulls;
  if (nulls > rows || (nulls > 0 && !column.nullable) || (nulls == rows) != (block.bytes == 0)) return false;
  if (block.form == BlockForm::kSeriesTimes && column.role != NativeRole::kTime) return false;
  return block.form != BlockForm::kPlain || block.codec != ByteCodec::kNone || block.offset % kPlainAlignment == 0;
}

/// Whether the blocks lie one behind the other, page after page, before `end`.
bool blocks_fit(const NativeStructure& structure, std::uint64_t end) {
  const auto columns = structure.block_columns();
  std::uint64_t at = kNativeHeaderBytes;
  for (std::size_t page = 0; page < structure.pages(); ++page) {
    const std::uint64_t rows = structure.page_ends[page] - (page == 0 ? 0 : structure.page_ends[page - 1]);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const NativeBlock& block = structure.blocks[i][page];
      if (!fits(block, columns[i], rows)) return false;
      if (block.bytes == 0) continue;
      if (block.offset < at || block.offset > end || block.bytes > end - block.offset) return false;
      at = block.offset + block.bytes;
    }
  }
  return true;
}

bool take_columns(Bytes bytes, std::uint64_t blocks_end, NativeStructure& structure) {
  for (const NativeColumn& column : structure.block_columns()) {
    structure.blocks.emplace_back(structure.pages());
    if (structure.pages() > 0 && !take_blocks(bytes, column.kind, structure.blocks.back())) return false;
  }
  return bytes.empty() && blocks_fit(structure, blocks_end);
}

}  // namespace

Buffer native_end(const NativeStructure& structure, std::uint64_t at) {
  NativeSections<Buffer> sections;
  put_schema(structure, sections.schema);
  put_series(structure, sections.series);
  codec::put_uleb128(structure.pages(), sections.pages);
  put_integers<std::uint32_t>(lengths_of(structure.page_ends), sections.pages);
  const auto columns = structure.block_columns();
  for (std::size_t i = 0; i < columns.size() && structure.pages() > 0; ++i) {
    put_blocks(structure.blocks[i], columns[i].kind, sections.columns);
  }
  sections.presence = structure.presence;
  return native_end(sections, at);
}

Result<NativeStructure> read_native_structure(std::span<const std::byte> file, const std::string& doing) {
  MARIGRAM_ASSIGN(const NativeParts parts, read_native_parts(file, doing));
  const auto nonsense = [&](const std::string& what) {
    return fail(ErrorCode::kCorruption, fmt::format("{}: its {} make no sense", doing, what));
  };
  NativeStructure structure;
  std::uint64_t rows = 0;
  if (!take_schema(parts.sections.schema, rows, structure)) return nonsense("columns' names and types");
  // So many pages have entries of five bytes each: what claims more is not believed, and costs no memory.
  Bytes pages = parts.sections.pages;
  const auto count = codec::take_uleb128(pages);
  if (!count || *count > parts.sections.columns.size() / kBlockEntryBytesMin || rows > *count * kPageRowsMax) {
    return nonsense("numbers of rows and pages");
  }
  if (!take_series(parts.sections.series, rows, structure)) return nonsense("series");
  if (!take_pages(pages, *count, structure)) return nonsense("pages");
  if (!take_columns(parts.sections.columns, parts.blocks_end, structure)) return nonsense("blocks");
  structure.presence.assign(parts.sections.presence.begin(), parts.sections.presence.end());
  return structure;
}

}  // namespace marigram::segment
