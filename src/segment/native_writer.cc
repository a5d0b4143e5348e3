#include "segment/native_writer.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/batch_check.h"
#include "segment/native_bytes.h"
#include "segment/native_page.h"
#include "segment/native_parts.h"
#include "segment/native_structure.h"
#include "segment/native_types.h"
#include "segment/tag_columns.h"

#include <marigram/series.h>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::segment {
namespace {

constexpr std::size_t kOwnPageRowsMin = 1'024;     // of a series: so many share no page with others
constexpr std::size_t kSharedPageRowsMax = 2'048;  // who asks for one of the series decodes the others
constexpr std::size_t kOpenRowsMax = std::size_t{2} * kPageRowsMax;
constexpr std::size_t kBufferBytes = 1 << 20;

using ArrayPtr = std::shared_ptr<arrow::Array>;

struct Cell {
  std::uint64_t operator()(std::int32_t value) const { return static_cast<std::uint64_t>(std::int64_t{value}); }
  std::uint64_t operator()(std::int64_t value) const { return static_cast<std::uint64_t>(value); }
  std::uint64_t operator()(std::uint64_t value) const { return value; }
  std::uint64_t operator()(const std::string& /*value*/) const { return 0; }
};

/// One tag of all series; texts point into their keys.
NativeTag number_tag(std::span<const SeriesKey> series, std::size_t position) {
  std::vector<const TagValue*> values;
  values.reserve(series.size());
  for (const SeriesKey& key : series) values.push_back(&key[position]);
  const auto value = [](const TagValue* of) -> const TagValue& { return *of; };
  std::ranges::sort(values, {}, value);
  values.erase(std::ranges::unique(values, {}, value).begin(), values.end());
  NativeTag tag;
  for (const TagValue* one : values) {
    if (const auto* text = std::get_if<std::string>(one)) {
      tag.values.texts.push_back(*text);
    } else {
      tag.values.cells.push_back(std::visit(Cell{}, *one));
    }
  }
  tag.of_series.reserve(series.size());
  for (const SeriesKey& key : series) {
    const auto found = std::ranges::lower_bound(values, key[position], {}, value);
    tag.of_series.push_back(static_cast<std::uint32_t>(found - values.begin()));
  }
  return tag;
}

Result<NativeColumn> native_column(const model::Column& column, NativeRole role, const std::string& doing) {
  const auto kind = value_kind(column.type.id);
  if (!kind) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: column {} is of type {}, which native segments do not hold; use Parquet", doing,
                            column.name, model::format_type(column.type)));
  }
  return NativeColumn{.name = column.name,
                      .type = model::format_type(column.type),
                      .role = role,
                      .kind = *kind,
                      .nullable = role == NativeRole::kField && column.nullable};
}

}  // namespace

struct NativeWriter::State {
  Compression compression;
  std::string doing;
  std::shared_ptr<arrow::Schema> arrow_schema;
  std::vector<std::string> tag_names;
  std::vector<int> sources;  // of the columns with blocks, in a batch
  std::unique_ptr<io::WritableObject> object;
  codec::Buffer buffer;        // not handed to the object yet
  std::uint64_t position = 0;  // in the file, behind the buffer
  NativeStructure structure;
  std::vector<SeriesKey> series;
  std::optional<OpenPage> page;
  std::uint64_t rows = 0;
  std::uint64_t last_key = 0;  // the time before, by which times are compared
  bool continued = false;      // the page's first series began in an earlier page
  bool failed = false;
  bool finished = false;

  Status take_columns(const model::Schema& schema, const model::IndexSpec& index);
  Status write(const arrow::RecordBatch& batch);
  Status begin_series(SeriesKey key);
  Status add_rows(const std::vector<ArrayPtr>& arrays, std::int64_t begin, std::int64_t count);
  Status check_times(const arrow::Array& times, std::int64_t begin, std::int64_t count, bool new_series);
  Status flush_page();
  Status flush_front(std::size_t rows_of_page);
  Status flush_series_end();
  Status flush_before_last_series();
  Status put_block(std::size_t column);
  codec::Buffer encode(std::size_t column, NativeBlock& block) const;
  Status put(std::span<const std::uint8_t> bytes);
  Status flush_buffer();
};

Status NativeWriter::State::take_columns(const model::Schema& schema, const model::IndexSpec& index) {
  const auto take = [&](const model::Column& column, NativeRole role) -> Status {
    MARIGRAM_ASSIGN(NativeColumn native, native_column(column, role, doing));
    structure.columns.push_back(std::move(native));
    if (role != NativeRole::kTag) sources.push_back(static_cast<int>(&column - schema.columns.data()));
    return {};
  };
  for (const std::string& tag : index.tags) MARIGRAM_TRY(take(*schema.find(tag), NativeRole::kTag));
  MARIGRAM_TRY(take(*schema.find(index.column), NativeRole::kTime));
  for (const model::Column& column : schema.columns) {
    const bool is_tag = std::ranges::find(index.tags, column.name) != index.tags.end();
    if (!is_tag && column.name != index.column) MARIGRAM_TRY(take(column, NativeRole::kField));
  }
  tag_names = index.tags;
  structure.tags.resize(tag_names.size());
  structure.blocks.resize(sources.size());
  std::vector<ValueKind> kinds;
  for (const NativeColumn& column : structure.block_columns()) kinds.push_back(column.kind);
  page.emplace(OpenPage{.rows = PageRows(std::move(kinds))});
  return {};
}

Status NativeWriter::State::begin_series(SeriesKey key) {
  if (!series.empty() && key < series.back()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: row {} is of series {}, which comes before that of the row before", doing, rows,
                            format_series(tag_names, key)));
  }
  if (series.size() == kNativeSeriesMax) {
    return fail(ErrorCode::kInvalidInput, fmt::format("{}: it has more than {} series", doing, kNativeSeriesMax));
  }
  MARIGRAM_TRY(flush_series_end());
  series.push_back(std::move(key));
  structure.series_ends.push_back(rows);
  page->begins.push_back(page->rows.size());
  return {};
}

Status NativeWriter::State::check_times(const arrow::Array& times, std::int64_t begin, std::int64_t count,
                                        bool new_series) {
  // As unsigned numbers of the same order.
  const std::uint64_t bias = structure.block_columns().front().kind == ValueKind::kUInt64 ? 0 : std::uint64_t{1} << 63;
  const auto* const values = times.data()->GetValues<std::uint64_t>(1) + begin;
  for (std::int64_t i = 0; i < count; ++i) {
    if (times.IsNull(begin + i)) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: row {} has no time", doing, rows + static_cast<std::uint64_t>(i)));
    }
    const std::uint64_t key = values[i] ^ bias;
    if (key < last_key && !(new_series && i == 0)) {
      return fail(ErrorCode::kInvalidInput, fmt::format("{}: row {} is earlier than the one before, of the same series",
                                                        doing, rows + static_cast<std::uint64_t>(i)));
    }
    last_key = key;
  }
  return {};
}

/// Rows of the last series.
Status NativeWriter::State::add_rows(const std::vector<ArrayPtr>& arrays, std::int64_t begin, std::int64_t count) {
  while (count > 0) {
    const std::size_t there = page->rows.size();
    const std::size_t own = there - page->begins.back() + static_cast<std::size_t>(count);
    const bool shared = page->begins.size() > 1;
    if (shared && (own >= kOwnPageRowsMin || there + static_cast<std::size_t>(count) > kSharedPageRowsMax)) {
      MARIGRAM_TRY(flush_before_last_series());
      continue;
    }
    const std::int64_t take = std::min(count, static_cast<std::int64_t>(kOpenRowsMax - there));
    page->rows.append(arrays, begin, take);
    rows += static_cast<std::uint64_t>(take);
    structure.series_ends.back() = rows;
    begin += take;
    count -= take;
    if (page->rows.size() == kOpenRowsMax) MARIGRAM_TRY(flush_front(kPageRowsMax));
  }
  return {};
}

/// The first rows of an only series become a page.
Status NativeWriter::State::flush_front(std::size_t rows_of_page) {
  PageRows rest = page->rows.split(rows_of_page);
  MARIGRAM_TRY(flush_page());
  page->rows = std::move(rest);
  page->begins = {0};
  continued = true;
  return {};
}

/// A series of several pages shares none of them, and its last two are alike.
Status NativeWriter::State::flush_series_end() {
  if (page->rows.size() > kPageRowsMax) MARIGRAM_TRY(flush_front((page->rows.size() + 1) / 2));
  return continued ? flush_page() : Status();
}

Status NativeWriter::State::flush_before_last_series() {
  PageRows rest = page->rows.split(page->begins.back());
  page->begins.pop_back();
  MARIGRAM_TRY(flush_page());
  page->rows = std::move(rest);
  page->begins = {0};
  return {};
}

/// The page is empty afterwards, and of no series.
Status NativeWriter::State::flush_page() {
  const std::size_t count = page->rows.size();
  for (std::size_t column = 0; column < sources.size() && count > 0; ++column) MARIGRAM_TRY(put_block(column));
  if (count > 0) {
    const std::uint64_t before = structure.page_ends.empty() ? 0 : structure.page_ends.back();
    structure.page_ends.push_back(before + count);
  }
  page->rows.clear();
  page->begins.clear();
  continued = false;
  return {};
}

Status NativeWriter::State::put_block(std::size_t column) {
  const ValueKind kind = page->rows.kind(column);
  const BlockValues& values = page->rows.column(column);
  NativeBlock& block = structure.blocks[column].emplace_back();
  block.statistics = statistics_of(kind, page->rows.size(), values);
  codec::Buffer bytes = encode(column, block);
  if (codec::Buffer smaller = compress(compression.bytes, bytes); !smaller.empty()) {
    block.codec = compression.bytes;
    bytes = std::move(smaller);
  }
  block.bytes = bytes.size();
  if (bytes.empty()) return {};
  if (block.form == BlockForm::kPlain && block.codec == ByteCodec::kNone) {
    MARIGRAM_TRY(put(codec::Buffer((kPlainAlignment - position % kPlainAlignment) % kPlainAlignment)));
  }
  block.offset = position;
  block.checksum = checksum(bytes);
  return put(bytes);
}

/// The page's values, and in the block what form they have.
codec::Buffer NativeWriter::State::encode(std::size_t column, NativeBlock& block) const {
  const ValueKind kind = page->rows.kind(column);
  const BlockValues& values = page->rows.column(column);
  codec::Buffer bytes;
  if (compression.plain) {
    block.form = BlockForm::kPlain;
    encode_plain(kind, page->rows.size(), values, bytes);
  } else if (column == 0 && page->begins.size() > 1) {
    block.form = BlockForm::kSeriesTimes;
    const std::vector<std::int64_t> times(values.cells.begin(), values.cells.end());
    encode_series_times(times, page->series_rows(), compression.method, bytes);
  } else {
    encode_packed(kind, page->rows.size(), values, compression.method, bytes);
  }
  return bytes;
}

Status NativeWriter::State::put(std::span<const std::uint8_t> bytes) {
  position += bytes.size();
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
  return buffer.size() < kBufferBytes ? Status() : flush_buffer();
}

Status NativeWriter::State::flush_buffer() {
  MARIGRAM_TRY(object->write(std::as_bytes(std::span(buffer))));
  buffer.clear();
  return {};
}

Status NativeWriter::State::write(const arrow::RecordBatch& batch) {
  MARIGRAM_TRY(check_batch(batch, *arrow_schema, doing));
  if (batch.num_rows() == 0) return {};
  MARIGRAM_ASSIGN(const TagColumns tags, TagColumns::make(batch, tag_names, doing, rows));
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(batch.num_rows()));
  tags.mark_changes(starts);
  starts.front() = 1;
  std::vector<ArrayPtr> arrays;
  arrays.reserve(sources.size());
  for (const int source : sources) arrays.push_back(batch.column(source));
  for (std::int64_t begin = 0; begin < batch.num_rows();) {
    const auto next = std::find(starts.begin() + begin + 1, starts.end(), 1);
    const std::int64_t count = next - starts.begin() - begin;
    SeriesKey key = tags.key_of(begin);
    const bool is_new = series.empty() || key != series.back();
    if (is_new) MARIGRAM_TRY(begin_series(std::move(key)));
    MARIGRAM_TRY(check_times(*arrays.front(), begin, count, is_new));
    MARIGRAM_TRY(add_rows(arrays, begin, count));
    begin += count;
  }
  return {};
}

NativeWriter::NativeWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
NativeWriter::~NativeWriter() = default;

Result<std::unique_ptr<NativeWriter>> NativeWriter::create(io::ObjectStore& store, const std::string& key,
                                                           const model::Schema& schema, const model::IndexSpec& index,
                                                           codec::Buffer presence, const Compression& compression) {
  auto state = std::make_unique<State>();
  state->structure.presence = std::move(presence);
  state->compression = compression;
  state->doing = "cannot write " + key;
  MARIGRAM_ASSIGN(state->arrow_schema, to_arrow(schema));
  MARIGRAM_TRY(state->take_columns(schema, index));
  MARIGRAM_ASSIGN(state->object, store.create(key, io::PutCondition::if_absent()));
  MARIGRAM_TRY(state->put(native_header()));
  return std::unique_ptr<NativeWriter>(new NativeWriter(std::move(state)));
}

Status NativeWriter::write(const arrow::RecordBatch& batch) {
  assert(!state_->finished);
  const Status written = state_->write(batch);
  state_->failed = state_->failed || !written;
  return written;
}

Result<std::uint64_t> NativeWriter::finish() {
  State& state = *state_;
  assert(!state.finished);
  state.finished = true;
  if (state.failed) return fail(ErrorCode::kInternal, fmt::format("{}: an earlier write failed", state.doing));
  MARIGRAM_TRY(state.flush_series_end());
  MARIGRAM_TRY(state.flush_page());
  for (std::size_t i = 0; i < state.tag_names.size(); ++i) state.structure.tags[i] = number_tag(state.series, i);
  MARIGRAM_TRY(state.put(native_end(state.structure, state.position)));
  MARIGRAM_TRY(state.flush_buffer());
  MARIGRAM_TRY(state.object->finish());
  return state.position;
}

}  // namespace marigram::segment
