#include "table/record.h"

#include "base/try.h"
#include "codec/integers.h"
#include "codec/packed_bits.h"
#include "codec/strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace marigram::table {
namespace {

using codec::Buffer;
using model::FieldColumn;
using model::FieldType;

static_assert(std::endian::native == std::endian::little);

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kEpochAt = 1;
constexpr std::size_t kRowsBytesAt = kEpochAt + sizeof(std::uint64_t);
constexpr std::size_t kHeaderBytes = kRowsBytesAt + sizeof(std::uint32_t);
constexpr std::size_t kFirstBytes = 128;  // enough for a row of a few fields

template <typename T>
void put_at(Buffer& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof(value));
}

template <typename T>
void put_fixed(T value, Buffer& out) {
  out.resize(out.size() + sizeof(value));
  put_at(out, out.size() - sizeof(value), value);
}

void put_text(std::string_view text, Buffer& out) {
  codec::put_uleb128(text.size(), out);
  out.insert(out.end(), text.begin(), text.end());
}

void put_texts(const std::vector<std::string>& texts, Buffer& out) {
  codec::put_uleb128(texts.size(), out);
  for (const std::string& text : texts) put_text(text, out);
}

void put_doubles(const std::vector<std::uint64_t>& cells, Buffer& out) {
  const std::size_t before = out.size();
  out.resize(before + cells.size() * sizeof(std::uint64_t));
  std::memcpy(out.data() + before, cells.data(), cells.size() * sizeof(std::uint64_t));
}

void put_strings(const std::vector<std::string>& strings, Buffer& out) {
  const std::vector<std::string_view> views(strings.begin(), strings.end());
  Buffer block;
  codec::encode_strings(views, block);
  codec::put_uleb128(block.size(), out);
  out.insert(out.end(), block.begin(), block.end());
}

void put_bitmap(const std::vector<std::uint8_t>& bits, Buffer& out) {
  const std::size_t before = out.size();
  out.resize(before + (bits.size() + 7) / 8);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    out[before + i / 8] |= static_cast<std::uint8_t>((bits[i] != 0 ? 1U : 0U) << i % 8);
  }
}

/// One number, which a single insert has, needs no memory.
template <typename T>
void put_integers(std::span<const T> numbers, Buffer& out) {
  if (numbers.size() == 1) {
    const auto value = static_cast<std::int64_t>(numbers.front());
    codec::encode_integers({&value, 1}, 0, out);
  } else {
    const std::vector<std::int64_t> values(numbers.begin(), numbers.end());
    codec::encode_integers(values, 0, out);
  }
}

void put_field(std::size_t field, const FieldColumn& column, Buffer& out) {
  codec::put_uleb128(field, out);
  out.push_back(static_cast<std::uint8_t>(column.type));
  out.push_back(column.valid.empty() ? 0 : 1);
  if (!column.valid.empty()) put_bitmap(column.valid, out);
  if (column.type == FieldType::kFloat64) {
    put_doubles(column.cells, out);
  } else if (column.type == FieldType::kString) {
    put_strings(column.strings, out);
  } else {
    put_integers(std::span(column.cells), out);
  }
}

void put_rows(const SectionRows& section, Buffer& out) {
  codec::put_uleb128(section.table, out);
  codec::put_uleb128(section.times.size(), out);
  if (section.times.empty()) return;
  put_integers(section.series, out);
  codec::encode_integers(section.times, 0, out);
  const auto there = [](const FieldColumn* column) { return column != nullptr; };
  codec::put_uleb128(static_cast<std::uint64_t>(std::ranges::count_if(section.fields, there)), out);
  for (std::size_t i = 0; i < section.fields.size(); ++i) {
    if (section.fields[i] != nullptr) put_field(i, *section.fields[i], out);
  }
}

void put_definition(const RecordSection& section, Buffer& out) {
  codec::put_uleb128(section.table, out);
  out.push_back(section.definition ? 1 : 0);
  if (section.definition) {
    put_text(section.definition->name_space, out);
    put_text(section.definition->name, out);
    put_fixed(section.definition->created_at.seconds, out);
    put_fixed(section.definition->created_at.nanos, out);
    put_texts(section.definition->tags, out);
    put_texts(section.definition->fields, out);
  }
  codec::put_uleb128(section.defined.size(), out);
  for (const SeriesDefinition& series : section.defined) {
    codec::put_uleb128(series.id, out);
    codec::put_uleb128(series.tags.size(), out);
    for (const NumberedTag& tag : series.tags) {
      codec::put_uleb128(tag.tag, out);
      put_text(tag.value, out);
    }
  }
}

/// Takes a record apart. What is wrong with it is remembered: then everything reads as zero or empty.
class Reader {
 public:
  explicit Reader(codec::Bytes bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  bool at_end() const { return bytes_.empty(); }
  codec::Bytes& bytes() { return bytes_; }
  void check(bool good) {
    if (good) return;
    failed_ = true;
    bytes_ = {};
  }

  std::uint64_t number(std::uint64_t most) {
    const auto value = codec::take_uleb128(bytes_);
    check(value && *value <= most);
    return failed_ ? 0 : *value;
  }
  /// Of things that take at least one byte each.
  std::size_t count() { return number(bytes_.size()); }
  codec::Bytes take(std::uint64_t size) {
    check(size <= bytes_.size());
    if (failed_) return {};
    const codec::Bytes taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  template <typename T>
  T fixed() {
    T value{};
    const codec::Bytes taken = take(sizeof(value));
    if (!failed_) std::memcpy(&value, taken.data(), sizeof(value));
    return value;
  }
  std::string_view text() {
    const codec::Bytes taken = take(number(bytes_.size()));
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all(count());
    for (std::string& one : all) one = text();
    return all;
  }
  std::vector<std::int64_t> integers(std::size_t rows) {
    std::vector<std::int64_t> values(rows);
    if (rows > 0) check(codec::decode_integers(bytes_, 0, values));
    return values;
  }

 private:
  codec::Bytes bytes_;
  bool failed_ = false;
};

constexpr std::uint64_t kNumberMax = ~std::uint32_t{0};

std::vector<std::uint8_t> take_bitmap(Reader& in, std::size_t rows) {
  const codec::Bytes bits = in.take((rows + 7) / 8);
  std::vector<std::uint8_t> valid;
  if (in.failed()) return valid;
  valid.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) valid.push_back(bits[i / 8] >> i % 8 & 1U);
  return valid;
}

void take_strings(Reader& in, std::size_t rows, std::vector<std::string>& out) {
  codec::Bytes block = in.take(in.number(in.bytes().size()));
  std::vector<std::string_view> views(rows);
  in.check(codec::decode_strings(block, views) && block.empty());
  if (!in.failed()) out.assign(views.begin(), views.end());
}

RecordField take_field(Reader& in, std::size_t rows) {
  RecordField field{.field = static_cast<std::uint32_t>(in.number(kNumberMax)), .values = {}};
  const auto type = in.fixed<std::uint8_t>();
  in.check(type <= static_cast<std::uint8_t>(FieldType::kString));
  field.values.type = static_cast<FieldType>(type);
  const auto nulls = in.fixed<std::uint8_t>();
  in.check(nulls <= 1);
  if (nulls == 1) field.values.valid = take_bitmap(in, rows);
  if (in.failed()) return field;
  if (field.values.type == FieldType::kString) {
    take_strings(in, rows, field.values.strings);
  } else if (field.values.type == FieldType::kFloat64) {
    const codec::Bytes bytes = in.take(rows * sizeof(std::uint64_t));
    field.values.cells.resize(bytes.size() / sizeof(std::uint64_t));
    if (!bytes.empty()) std::memcpy(field.values.cells.data(), bytes.data(), bytes.size());
  } else {
    const auto values = in.integers(rows);
    field.values.cells.assign(values.begin(), values.end());
  }
  return field;
}

/// What a record may still hold.
struct Room {
  std::uint64_t rows = kRecordRowsMax;
  std::uint64_t values = kRecordValuesMax;
};

RecordSection take_rows(Reader& in, Room& room) {
  RecordSection section{.table = in.number(~std::uint64_t{0})};
  const std::size_t rows = in.number(room.rows);
  room.rows -= rows;
  if (rows == 0) return section;
  const std::vector<std::int64_t> series = in.integers(rows);
  in.check(std::ranges::all_of(series, [](std::int64_t id) { return id >= 0 && std::cmp_less_equal(id, kNumberMax); }));
  section.series.assign(series.begin(), series.end());
  section.times = in.integers(rows);
  const std::size_t fields = in.count();
  in.check(fields * rows <= room.values);
  if (!in.failed()) room.values -= fields * rows;
  for (std::size_t i = 0; i < fields && !in.failed(); ++i) section.fields.push_back(take_field(in, rows));
  return section;
}

TableDefinition take_table(Reader& in) {
  TableDefinition table;
  table.name_space = in.text();
  table.name = in.text();
  table.created_at.seconds = in.fixed<std::int64_t>();
  table.created_at.nanos = in.fixed<std::uint32_t>();
  table.tags = in.texts();
  table.fields = in.texts();
  return table;
}

SeriesDefinition take_series(Reader& in) {
  SeriesDefinition series{.id = static_cast<head::SeriesId>(in.number(kNumberMax)), .tags = {}};
  series.tags.resize(in.count());
  for (NumberedTag& tag : series.tags) {
    tag.tag = static_cast<std::uint32_t>(in.number(kNumberMax));
    tag.value = in.text();
  }
  return series;
}

void take_definition(Reader& in, std::vector<RecordSection>& sections) {
  const std::uint64_t table = in.number(~std::uint64_t{0});
  const auto section = std::ranges::find(sections, table, &RecordSection::table);
  const auto described = in.fixed<std::uint8_t>();
  in.check(section != sections.end() && described <= 1);
  if (in.failed()) return;
  if (described == 1) section->definition = take_table(in);
  section->defined.resize(in.count());
  for (SeriesDefinition& series : section->defined) series = take_series(in);
}

}  // namespace

RecordWriter::RecordWriter(std::size_t tables) {
  bytes_.reserve(kFirstBytes);
  bytes_.resize(kHeaderBytes);
  bytes_[0] = kVersion;
  codec::put_uleb128(tables, bytes_);
  rows_end_ = bytes_.size();
}

void RecordWriter::add(const SectionRows& rows) {
  put_rows(rows, bytes_);
  rows_end_ = bytes_.size();
}

std::span<const std::byte> RecordWriter::finish(std::uint64_t epoch, std::span<const RecordSection> definitions) {
  bytes_.resize(rows_end_);
  put_at(bytes_, kEpochAt, epoch);
  put_at(bytes_, kRowsBytesAt, static_cast<std::uint32_t>(rows_end_ - kHeaderBytes));
  codec::put_uleb128(definitions.size(), bytes_);
  for (const RecordSection& section : definitions) put_definition(section, bytes_);
  return std::as_bytes(std::span(bytes_));
}

Result<Record> decode_record(std::span<const std::byte> payload) {
  const codec::Bytes bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
  Record record;
  Reader in(bytes);
  in.check(in.fixed<std::uint8_t>() == kVersion);
  record.epoch = in.fixed<std::uint64_t>();
  Reader rows(in.take(in.fixed<std::uint32_t>()));
  const std::size_t tables = in.failed() ? 0 : rows.count();
  Room room;
  for (std::size_t i = 0; i < tables && !rows.failed(); ++i) record.sections.push_back(take_rows(rows, room));
  const std::size_t definitions = rows.failed() ? 0 : in.count();
  for (std::size_t i = 0; i < definitions && !in.failed(); ++i) take_definition(in, record.sections);
  if (in.failed() || rows.failed() || !in.at_end() || !rows.at_end()) {
    return fail(
        ErrorCode::kCorruption,
        fmt::format("cannot read a record of {} bytes of the write-ahead log: it is no batch of rows of version "
                    "{}; a newer Marigram may have written it",
                    payload.size(), kVersion));
  }
  return record;
}

}  // namespace marigram::table
