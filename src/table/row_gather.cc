#include "table/row_gather.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/column_threads.h"
#include "segment/memory_pool.h"

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace marigram::table {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr std::size_t kParallelRowsMin = 32'768;  // below, a column is done before another thread has woken

std::unexpected<Error> failure(const arrow::Status& status) {
  return std::unexpected(segment::from_arrow_status(status, "cannot put rows in order", false));
}

/// Bytes of a value; 0 for types whose values have no fixed number of whole bytes.
int byte_width(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY)
    return byte_width(*static_cast<const arrow::DictionaryType&>(type).index_type());
  const bool plain = arrow::is_primitive(type.id()) && type.id() != arrow::Type::BOOL;
  return plain && type.byte_width() <= 8 ? type.byte_width() : 0;
}

bool same_dictionary(const arrow::ArrayVector& chunks) {
  return std::ranges::all_of(
      chunks, [&](const ArrayPtr& chunk) { return chunk->data()->dictionary == chunks.front()->data()->dictionary; });
}

/// Whether take() can read the chunks as they are.
bool is_direct(const arrow::ArrayVector& chunks) {
  const arrow::DataType& type = *chunks.front()->type();
  if (std::ranges::any_of(chunks, [](const ArrayPtr& chunk) { return chunk->null_count() > 0; })) return false;
  if (type.id() == arrow::Type::DICTIONARY && !same_dictionary(chunks)) return false;
  return type.id() == arrow::Type::STRING || byte_width(type) > 0;
}

// Rows are RowAt, or, of a single batch, plain numbers.
std::uint32_t batch_of(RowAt at) {
  return at.batch;
}
std::uint32_t batch_of(std::uint32_t /*row*/) {
  return 0;
}
std::uint32_t row_of(RowAt at) {
  return at.row;
}
std::uint32_t row_of(std::uint32_t row) {
  return row;
}

template <typename T, typename Row>
arrow::Result<std::shared_ptr<arrow::Buffer>> take_values(const arrow::ArrayVector& chunks, std::span<const Row> rows) {
  std::vector<const T*> values;
  values.reserve(chunks.size());
  for (const ArrayPtr& chunk : chunks) values.push_back(chunk->data()->GetValues<T>(1));
  ARROW_ASSIGN_OR_RAISE(
      auto buffer, arrow::AllocateBuffer(static_cast<std::int64_t>(rows.size() * sizeof(T)), segment::memory_pool()));
  auto* out = reinterpret_cast<T*>(buffer->mutable_data());
  if (values.size() == 1) {
    const T* only = values.front();
    for (const Row at : rows) *out++ = only[row_of(at)];
  } else {
    for (const Row at : rows) *out++ = values[batch_of(at)][row_of(at)];
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

template <typename Row>
arrow::Result<ArrayPtr> take_fixed(const arrow::ArrayVector& chunks, std::span<const Row> rows) {
  const arrow::Array& first = *chunks.front();
  std::shared_ptr<arrow::Buffer> values;
  switch (byte_width(*first.type())) {
    case 1: {
      ARROW_ASSIGN_OR_RAISE(values, take_values<std::uint8_t>(chunks, rows));
      break;
    }
    case 2: {
      ARROW_ASSIGN_OR_RAISE(values, take_values<std::uint16_t>(chunks, rows));
      break;
    }
    case 4: {
      ARROW_ASSIGN_OR_RAISE(values, take_values<std::uint32_t>(chunks, rows));
      break;
    }
    default: {
      ARROW_ASSIGN_OR_RAISE(values, take_values<std::uint64_t>(chunks, rows));
      break;
    }
  }
  auto data = arrow::ArrayData::Make(first.type(), static_cast<std::int64_t>(rows.size()), {nullptr, values}, 0);
  data->dictionary = first.data()->dictionary;
  return arrow::MakeArray(data);
}

/// Without a call for the short strings that tags are: by two words that may overlap.
void copy_text(char* out, std::string_view text) {
  const std::size_t size = text.size();
  const auto copy_ends = [&]<typename Word>(Word) {
    Word first;
    Word last;
    std::memcpy(&first, text.data(), sizeof(Word));
    std::memcpy(&last, text.data() + size - sizeof(Word), sizeof(Word));
    std::memcpy(out, &first, sizeof(Word));
    std::memcpy(out + size - sizeof(Word), &last, sizeof(Word));
  };
  if (size > 16) {
    std::memcpy(out, text.data(), size);
  } else if (size >= 8) {
    copy_ends(std::uint64_t{});
  } else if (size >= 4) {
    copy_ends(std::uint32_t{});
  } else {
    for (std::size_t i = 0; i < size; ++i) out[i] = text[i];
  }
}

template <typename Row>
arrow::Result<ArrayPtr> take_strings(const arrow::ArrayVector& chunks, std::span<const Row> rows) {
  struct Text {
    const std::int32_t* offsets;
    const char* bytes;
  };
  std::vector<Text> texts;
  texts.reserve(chunks.size());
  for (const ArrayPtr& chunk : chunks) {
    const auto& strings = static_cast<const arrow::StringArray&>(*chunk);
    texts.push_back({strings.raw_value_offsets(), reinterpret_cast<const char*>(strings.raw_data())});
  }
  const auto view = [&](Row at) {
    const Text& text = texts[batch_of(at)];
    const std::int32_t* offset = text.offsets + row_of(at);
    return std::string_view(text.bytes + offset[0], static_cast<std::size_t>(offset[1] - offset[0]));
  };
  const auto count = static_cast<std::int64_t>(rows.size());
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((count + 1) * static_cast<std::int64_t>(sizeof(std::int32_t)), segment::memory_pool()));
  auto* offset = reinterpret_cast<std::int32_t*>(offsets->mutable_data());
  std::int64_t total = 0;
  *offset++ = 0;
  for (const Row at : rows) {
    total += static_cast<std::int64_t>(view(at).size());
    *offset++ = static_cast<std::int32_t>(total);
  }
  if (total > std::numeric_limits<std::int32_t>::max()) {
    return arrow::Status::CapacityError("strings of ", total,
                                        " bytes in one batch, want at most 2^31 - 1: ", "ask for fewer rows a batch");
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(total, segment::memory_pool()));
  char* out = reinterpret_cast<char*>(bytes->mutable_data());
  for (const Row at : rows) {
    const std::string_view text = view(at);
    copy_text(out, text);
    out += text.size();
  }
  return std::make_shared<arrow::StringArray>(count, std::move(offsets), std::move(bytes));
}

/// From the joined chunks, by the row's number among all.
template <typename Row>
arrow::Result<ArrayPtr> take_joined(const ArrayPtr& joined, std::span<const Row> rows,
                                    const std::vector<std::uint64_t>& first_row) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(rows.size());
  for (const Row at : rows) numbers.push_back(first_row[batch_of(at)] + row_of(at));
  const arrow::UInt64Array indices(static_cast<std::int64_t>(numbers.size()), arrow::Buffer::Wrap(numbers));
  return arrow::compute::Take(*joined, indices, arrow::compute::TakeOptions::NoBoundsCheck());
}

}  // namespace

std::vector<ArrayPtr> column_chunks(const std::vector<BatchPtr>& batches, int column) {
  std::vector<ArrayPtr> chunks;
  chunks.reserve(batches.size());
  for (const BatchPtr& batch : batches) chunks.push_back(batch->column(column));
  return chunks;
}

Result<ArrayPtr> join_column(const std::vector<BatchPtr>& batches, int column) {
  if (batches.size() == 1) return batches.front()->column(column);
  auto joined = arrow::Concatenate(column_chunks(batches, column));
  if (!joined.ok()) return failure(joined.status());
  return *std::move(joined);
}

Result<RowGather> RowGather::make(const std::vector<BatchPtr>& batches) {
  RowGather gather;
  gather.schema_ = batches.front()->schema();
  std::uint64_t rows = 0;
  for (const BatchPtr& batch : batches) {
    gather.first_row_.push_back(rows);
    rows += static_cast<std::uint64_t>(batch->num_rows());
  }
  for (int i = 0; i < gather.schema_->num_fields(); ++i) {
    Column& column = gather.columns_.emplace_back();
    column.chunks = column_chunks(batches, i);
    if (is_direct(column.chunks)) continue;
    MARIGRAM_ASSIGN(column.joined, join_column(batches, i));
    column.chunks.clear();
  }
  return gather;
}

template <typename Row>
Result<BatchPtr> RowGather::take_rows(std::span<const Row> rows) const {
  arrow::ArrayVector columns(columns_.size());
  const auto take_column = [&](const Column& column) -> arrow::Result<ArrayPtr> {
    if (column.joined) return take_joined(column.joined, rows, first_row_);
    if (column.chunks.front()->type_id() == arrow::Type::STRING) return take_strings(column.chunks, rows);
    return take_fixed(column.chunks, rows);
  };
  const bool many = rows.size() >= kParallelRowsMin;
  const auto status = segment::for_each_column(static_cast<int>(columns.size()), many, [&](int i) -> arrow::Status {
    const auto column = static_cast<std::size_t>(i);
    return take_column(columns_[column]).Value(&columns[column]);
  });
  if (!status.ok()) return failure(status);
  return arrow::RecordBatch::Make(schema_, static_cast<std::int64_t>(rows.size()), std::move(columns));
}

Result<BatchPtr> RowGather::take(std::span<const RowAt> rows) const {
  return take_rows(rows);
}

Result<BatchPtr> RowGather::take(std::span<const std::uint32_t> rows) const {
  if (first_row_.size() == 1) return take_rows(rows);
  std::vector<RowAt> places;
  places.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    const auto batch = static_cast<std::uint32_t>(std::ranges::upper_bound(first_row_, row) - first_row_.begin()) - 1;
    places.push_back({batch, row - static_cast<std::uint32_t>(first_row_[batch])});
  }
  return take_rows(std::span<const RowAt>(places));
}

}  // namespace marigram::table
