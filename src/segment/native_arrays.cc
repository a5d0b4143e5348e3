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
#include <span>
#include <utility>

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

/// `T`: of bytes that are 0 or not, or of cells.
template <typename T>
Result<BufferPtr> bits(std::span<const T> values, const std::string& doing) {
  MARIGRAM_ASSIGN(BufferPtr buffer, allocate_buffer(static_cast<std::int64_t>((values.size() + 7) / 8), doing));
  std::uint8_t* const bytes = buffer->mutable_data();
  std::fill_n(bytes, buffer->size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    bytes[i / 8] |= static_cast<std::uint8_t>((values[i] != 0 ? 1U : 0U) << i % 8);
  }
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
  if (kind == ValueKind::kBool) return bits(cells, doing);
  return plain_width(kind) == 4 ? narrow<std::uint32_t>(cells, doing) : narrow<std::uint64_t>(cells, doing);
}

}  // namespace

Result<ArrayPtr> make_array(ValueKind kind, const std::shared_ptr<arrow::DataType>& type, std::size_t rows,
                            const BlockValues& values, const std::string& doing) {
  if (kind == ValueKind::kText) return make_texts(type, rows, values, doing);
  MARIGRAM_ASSIGN(BufferPtr data, make_data(kind, values.cells, doing));
  BufferPtr valid;
  const auto nulls = std::ranges::count(values.valid, 0);
  if (nulls > 0) {
    MARIGRAM_ASSIGN(valid, bits(std::span<const std::uint8_t>(values.valid), doing));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, static_cast<std::int64_t>(rows), {std::move(valid), std::move(data)}, nulls));
}

}  // namespace marigram::segment
