#include "segment/native_file.h"

#include "base/try.h"
#include "segment/native_bytes.h"
#include "segment/native_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::segment {
namespace {

/// How many rows each series of a page has.
std::vector<std::uint32_t> series_rows(const NativeFile& file, std::size_t page) {
  std::vector<std::uint32_t> rows;
  std::uint64_t begin = file.page_begin(page);
  const std::uint64_t end = begin + file.page_rows(page);
  for (std::size_t series = file.series_of(begin); begin < end; ++series) {
    const std::uint64_t series_end = std::min(file.structure().series_ends[series], end);
    rows.push_back(static_cast<std::uint32_t>(series_end - begin));
    begin = series_end;
  }
  return rows;
}

bool decode(const NativeFile& file, std::size_t column, std::size_t page, codec::Bytes bytes, BlockValues& values) {
  const NativeBlock& block = file.structure().blocks[column][page];
  const ValueKind kind = file.structure().block_columns()[column].kind;
  const std::size_t rows = file.page_rows(page);
  switch (block.form) {
    case BlockForm::kPlain:
      return decode_plain(bytes, kind, rows, block.statistics.nulls, values);
    case BlockForm::kPacked:
      return decode_packed(bytes, kind, rows, block.statistics.nulls, values);
    case BlockForm::kSeriesTimes: {
      std::vector<std::int64_t> times(rows);
      if (!decode_series_times(bytes, series_rows(file, page), times)) return false;
      values.cells.assign(times.begin(), times.end());
      return true;
    }
  }
  return false;
}

Result<model::Schema> schema_of(const NativeStructure& structure, const std::string& doing) {
  model::Schema schema;
  for (const NativeColumn& column : structure.columns) {
    auto type = model::parse_type(column.type);
    if (!type || value_kind(type->id) != column.kind) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: column {} cannot be of type {}", doing, column.name, column.type));
    }
    schema.columns.push_back({.name = column.name, .type = *std::move(type), .nullable = column.nullable});
  }
  return schema;
}

/// The position of a value among those of a tag.
std::optional<std::uint32_t> find_value(const NativeTag& tag, ValueKind kind, const TagValue& wanted) {
  const auto position = [](const auto& values, const auto& found, const auto& value) {
    const bool is_there = found != values.end() && *found == value;
    return is_there ? std::optional(static_cast<std::uint32_t>(found - values.begin())) : std::nullopt;
  };
  if (const auto* const text = std::get_if<std::string>(&wanted)) {
    const auto& texts = tag.values.texts;
    return position(texts, std::ranges::lower_bound(texts, std::string_view(*text)), std::string_view(*text));
  }
  const auto& cells = tag.values.cells;
  const std::uint64_t cell = std::visit(
      [](const auto& value) -> std::uint64_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
          return 0;
        else
          return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
      },
      wanted);
  if (kind == ValueKind::kUInt64) return position(cells, std::ranges::lower_bound(cells, cell), cell);
  const auto is_less = [](std::uint64_t left, std::uint64_t right) {
    return static_cast<std::int64_t>(left) < static_cast<std::int64_t>(right);
  };
  return position(cells, std::ranges::lower_bound(cells, cell, is_less), cell);
}

}  // namespace

Result<std::shared_ptr<const NativeFile>> NativeFile::open(io::ObjectStore& store, const std::string& key) {
  std::shared_ptr<NativeFile> file(new NativeFile);
  file->key_ = key;
  file->doing_ = "cannot read " + key;
  MARIGRAM_ASSIGN(const auto object, store.open(key));  // the mapping lives on without it
  MARIGRAM_ASSIGN(file->mapping_, object->map());
  MARIGRAM_ASSIGN(file->structure_, read_native_structure(file->mapping_->bytes(), file->doing_));
  const NativeStructure& structure = file->structure_;
  MARIGRAM_ASSIGN(file->schema_, schema_of(structure, file->doing_));
  file->verified_ = std::make_unique<std::atomic<bool>[]>(structure.blocks.size() * structure.pages());
  MARIGRAM_TRY(file->check_whole());
  return file;
}

Status NativeFile::check_whole() const {
  if (is_whole()) return {};
  return fail(ErrorCode::kCorruption, doing_ + ": it was cut short while it was read");
}

void NativeFile::will_read(std::size_t first_page, std::size_t last_page) const {
  constexpr std::uint64_t kBytesMax = std::uint64_t{32} << 20U;  // the system's own reading ahead does the rest
  std::uint64_t begin = bytes();
  std::uint64_t end = 0;
  for (const auto& blocks : structure_.blocks) {
    if (blocks[first_page].bytes > 0) begin = std::min(begin, blocks[first_page].offset);
    end = std::max(end, blocks[last_page].offset + blocks[last_page].bytes);
  }
  if (begin < end) mapping_->will_need(begin, std::min(end - begin, kBytesMax));
}

std::size_t NativeFile::page_of(std::uint64_t row) const {
  const auto found = std::ranges::upper_bound(structure_.page_ends, row);
  return static_cast<std::size_t>(found - structure_.page_ends.begin());
}

std::size_t NativeFile::series_of(std::uint64_t row) const {
  const auto found = std::ranges::upper_bound(structure_.series_ends, row);
  return static_cast<std::size_t>(found - structure_.series_ends.begin());
}

TagValue NativeFile::tag_value(std::size_t tag, std::size_t series) const {
  const auto& [values, of_series] = structure_.tags[tag];
  const std::uint32_t number = of_series[series];
  switch (structure_.columns[tag].kind) {
    case ValueKind::kText:
      return std::string(values.texts[number]);
    case ValueKind::kInt32:
      return static_cast<std::int32_t>(values.cells[number]);
    case ValueKind::kUInt64:
      return values.cells[number];
    default:
      return static_cast<std::int64_t>(values.cells[number]);
  }
}

std::optional<std::size_t> NativeFile::find_series(std::span<const TagValue> tags) const {
  std::size_t begin = 0;
  std::size_t end = structure_.series();
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto number = find_value(structure_.tags[i], structure_.columns[i].kind, tags[i]);
    if (!number) return std::nullopt;
    const auto rest = std::span(structure_.tags[i].of_series).subspan(begin, end - begin);
    const auto own = std::ranges::equal_range(rest, *number);
    end = begin + static_cast<std::size_t>(own.end() - rest.begin());
    begin += static_cast<std::size_t>(own.begin() - rest.begin());
  }
  return begin < end ? std::optional(begin) : std::nullopt;
}

PageTimes NativeFile::page_times(std::size_t page) const {
  const BlockStatistics& times = structure_.blocks.front()[page].statistics;
  return {.first = times.first, .last = times.last, .least = times.least, .largest = times.largest};
}

codec::Bytes NativeFile::block(std::size_t column, std::size_t page) const {
  const NativeBlock& block = structure_.blocks[column][page];
  return {reinterpret_cast<const std::uint8_t*>(mapping_->bytes().data()) + block.offset, block.bytes};
}

Result<codec::Bytes> NativeFile::block_bytes(std::size_t column, std::size_t page) const {
  const NativeBlock& block = structure_.blocks[column][page];
  const codec::Bytes bytes = this->block(column, page);
  std::atomic<bool>& verified = verified_[column * structure_.pages() + page];
  if (verified.load(std::memory_order_relaxed)) return bytes;
  if (const std::uint32_t computed = checksum(bytes); block.bytes > 0 && computed != block.checksum) {
    return fail(
        ErrorCode::kCorruption,
        fmt::format("{}: bytes {} to {}, column {} of page {}, are damaged: checksum {:08x} stored, {:08x} computed",
                    doing_, block.offset, block.offset + block.bytes, structure_.block_columns()[column].name, page,
                    block.checksum, computed));
  }
  verified.store(true, std::memory_order_relaxed);
  return bytes;
}

Result<BlockValues> NativeFile::read(std::size_t column, std::size_t page) const {
  MARIGRAM_ASSIGN(const codec::Bytes bytes, block_bytes(column, page));
  BlockValues values;
  const ByteCodec codec = structure_.blocks[column][page].codec;
  if (codec == ByteCodec::kNone || bytes.empty()) {
    if (decode(*this, column, page, bytes, values)) return values;
  } else {
    const auto block = std::make_shared<codec::Buffer>();
    values.held = {block};
    if (decompress(codec, bytes, *block) && decode(*this, column, page, *block, values)) return values;
  }
  return fail(ErrorCode::kCorruption, fmt::format("{}: column {} of page {} is damaged: its values cannot be decoded",
                                                  doing_, structure_.block_columns()[column].name, page));
}

bool NativeFile::is_plain(std::size_t column, std::size_t page) const {
  if (!has_statistics()) return false;  // for all that is known
  const NativeBlock& block = structure_.blocks[column][page];
  const bool is_text = structure_.block_columns()[column].kind == ValueKind::kText;
  return !is_text && block.form == BlockForm::kPlain && block.codec == ByteCodec::kNone;
}

Result<BlockView> NativeFile::view(std::size_t column, std::size_t page) const {
  const NativeBlock& block = structure_.blocks[column][page];
  const ValueKind kind = structure_.block_columns()[column].kind;
  BlockView view;
  if (block.form == BlockForm::kPlain && block.codec == ByteCodec::kNone) {
    MARIGRAM_ASSIGN(const codec::Bytes bytes, block_bytes(column, page));
    view.cells = find_plain(bytes, kind, page_rows(page), block.statistics.nulls, view.decoded.valid);
    view.width = plain_width(kind);
    if (view.cells != nullptr) return view;
  }
  MARIGRAM_ASSIGN(view.decoded, read(column, page));
  view.cells = view.decoded.cells.data();
  view.width = 8;
  return view;
}

}  // namespace marigram::segment
