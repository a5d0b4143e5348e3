#include "segment/native_arrays.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;

template <typename T>
Result<BufferPtr> narrow(std::span<const std::uint64_t> cells, const std::string& doing) {
  MARIGRAM_ASSIGN(BufferPtr buffer, allocate_buffer(static_cast<std::int64_t>(cells.size() * sizeof(T)), doing));
  std::ranges::transform(cells, reinterpret_cast<T*>(buffer->mutable_data()),
                         [](std::uint64_t cell) { return static_cast<T>(cell); });
  return buffer;
}

Result<ArrayPtr> make_texts(const std::shared_ptr<arrow::DataType>& type, std::size_t rows, const BlockValues& values,
                            const std::string& doing) {
  std::unique_ptr<arrow::ArrayBuilder> made;
  arrow::Status status = arrow::MakeBuilder(memory_pool(), type, &made);
  auto& builder = static_cast<arrow::BinaryBuilder&>(*made);  // of strings, too
  status &= builder.Reserve(static_cast<std::int64_t>(rows));
  for (std::size_t row = 0; row < rows && status.ok(); ++row) {
    const bool null = !values.valid.empty() && values.valid[row] == 0;
    status = null ? builder.AppendNull() : builder.Append(values.texts[row]);
  }
  ArrayPtr array;
  if (status.ok()) status = builder.Finish(&array);
  if (!status.ok()) return std::unexpected(from_arrow_status(status, doing, true));
  return array;
}

Result<BufferPtr> make_data(ValueKind kind, std::span<const std::uint64_t> cells, const std::string& doing) {
  if (kind == ValueKind::kBool) return make_bitmap(std::vector<std::uint8_t>(cells.begin(), cells.end()), doing);
  return plain_width(kind) == 4 ? narrow<std::uint32_t>(cells, doing) : narrow<std::uint64_t>(cells, doing);
}

}  // namespace

Result<ArrayPtr> borrow_array(ValueKind kind, const std::shared_ptr<arrow::DataType>& type, std::size_t rows,
                              const BlockView& block, const std::string& doing) {
  const bool is_number = kind != ValueKind::kBool && kind != ValueKind::kText;
  if (!is_number || block.cells == nullptr || block.width != plain_width(kind)) {
    return make_array(kind, type, rows, block.decoded, doing);
  }
  auto values = std::make_shared<arrow::Buffer>(static_cast<const std::uint8_t*>(block.cells),
                                                static_cast<std::int64_t>(rows * block.width));
  return make_fixed(type, rows, block.decoded.valid, std::move(values), doing);
}

NumberArray::NumberArray(unsigned width, BufferPtr buffer)
    : width_(width), buffer_(std::move(buffer)), end_(buffer_->mutable_data()) {}

Result<NumberArray> NumberArray::make(ValueKind kind, std::size_t rows, const std::string& doing) {
  const auto width = static_cast<unsigned>(plain_width(kind));
  MARIGRAM_ASSIGN(BufferPtr buffer, allocate_buffer(static_cast<std::int64_t>(rows * width), doing));
  return NumberArray(width, std::move(buffer));
}

void NumberArray::append(const BlockView& block, const RowRanges& ranges) {
  const std::vector<std::uint8_t>& valid = block.decoded.valid;
  if (!valid.empty()) valid_.resize(rows_, 1);
  for (const RowRange& range : ranges) {
    const auto begin = static_cast<std::size_t>(range.begin);
    const auto count = static_cast<std::size_t>(range.rows());
    const std::uint8_t* const from = static_cast<const std::uint8_t*>(block.cells) + begin * block.width;
    if (block.width == width_) {
      std::memcpy(end_, from, count * width_);
    } else {  // the lower half of each
      for (std::size_t i = 0; i < count; ++i) std::memcpy(end_ + i * width_, from + i * block.width, width_);
    }
    end_ += count * width_;
    rows_ += count;
    if (!valid.empty()) valid_.insert(valid_.end(), valid.begin() + range.begin, valid.begin() + range.end);
  }
  if (!valid_.empty()) valid_.resize(rows_, 1);
}

Result<ArrayPtr> NumberArray::finish(const std::shared_ptr<arrow::DataType>& type, const std::string& doing) {
  return make_fixed(type, rows_, valid_, std::move(buffer_), doing);
}

Result<ArrayPtr> make_texts(const std::shared_ptr<arrow::DataType>& type, std::span<const TextRun> runs,
                            const std::string& doing) {
  constexpr std::int64_t kBytesMax = std::numeric_limits<std::int32_t>::max();
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  for (const TextRun& run : runs) {
    const auto length = static_cast<std::int64_t>(run.text.size());
    if (length > 0 && run.rows > (kBytesMax - bytes) / length) {
      return fail(ErrorCode::kResourceExhausted, doing + ": a batch has more than 2 GiB of text; read smaller batches");
    }
    rows += run.rows;
    bytes += length * run.rows;
  }
  MARIGRAM_ASSIGN(BufferPtr offsets, allocate_buffer((rows + 1) * std::int64_t{sizeof(std::int32_t)}, doing));
  MARIGRAM_ASSIGN(BufferPtr data, allocate_buffer(bytes, doing));
  auto* offset = offsets->mutable_data_as<std::int32_t>();
  std::uint8_t* to = data->mutable_data();
  *offset = 0;
  for (const TextRun& run : runs) {
    const auto length = static_cast<std::int32_t>(run.text.size());
    for (std::int64_t i = 0; i < run.rows; ++i, ++offset, to += length) {
      offset[1] = offset[0] + length;
      if (length > 0) std::memcpy(to, run.text.data(), run.text.size());
    }
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {nullptr, std::move(offsets), std::move(data)}, 0));
}

Result<BufferPtr> make_bitmap(std::span<const std::uint8_t> bytes, const std::string& doing) {
  MARIGRAM_ASSIGN(BufferPtr buffer, allocate_buffer(static_cast<std::int64_t>((bytes.size() + 7) / 8), doing));
  std::uint8_t* const out = buffer->mutable_data();
  std::fill_n(out, buffer->size(), 0);
  const std::size_t whole = bytes.size() / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    // The lowest bit of byte k moves to bit 56 + k: times 2^(56 - 7k); no two products meet in a bit.
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes.data() + 8 * i, sizeof(eight));
    out[i] = static_cast<std::uint8_t>((eight * 0x0102040810204080U) >> 56U);
  }
  for (std::size_t i = 8 * whole; i < bytes.size(); ++i) out[i / 8] |= static_cast<std::uint8_t>(bytes[i] << i % 8);
  return buffer;
}

Result<ArrayPtr> make_array(ValueKind kind, const std::shared_ptr<arrow::DataType>& type, std::size_t rows,
                            const BlockValues& values, const std::string& doing) {
  if (kind == ValueKind::kText) return make_texts(type, rows, values, doing);
  MARIGRAM_ASSIGN(BufferPtr data, make_data(kind, values.cells, doing));
  return make_fixed(type, rows, values.valid, std::move(data), doing);
}

Result<ArrayPtr> make_fixed(const std::shared_ptr<arrow::DataType>& type, std::size_t rows,
                            std::span<const std::uint8_t> valid, BufferPtr values, const std::string& doing) {
  const auto nulls = std::ranges::count(valid, 0);
  BufferPtr bitmap;
  if (nulls > 0) {
    MARIGRAM_ASSIGN(bitmap, make_bitmap(valid, doing));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, static_cast<std::int64_t>(rows), {std::move(bitmap), std::move(values)}, nulls));
}

}  // namespace marigram::segment
