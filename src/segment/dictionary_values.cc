#include "segment/dictionary_values.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/cast.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

// Short strings are copied as blocks of this many bytes, whatever their length; the next value overwrites the rest.
constexpr std::int64_t kBlockBytes = 16;

/// One value: where it starts, and how long it is. Nulls are empty.
struct Entry {
  const std::uint8_t* data = nullptr;
  std::int64_t length = 0;
};

/// The entries of a dictionary of strings, copied so that a block can be read from every one of them.
class Entries {
 public:
  explicit Entries(const arrow::BinaryArray& strings) {
    const std::int64_t size = strings.value_offset(strings.length()) - strings.value_offset(0);
    bytes_.resize(static_cast<std::size_t>(size + kBlockBytes));
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < strings.length(); ++i) {
      const auto view = strings.GetView(i);
      if (!view.empty()) std::memcpy(bytes_.data() + at, view.data(), view.size());
      entries_.push_back({bytes_.data() + at, static_cast<std::int64_t>(view.size())});
      at += entries_.back().length;
    }
  }

  const Entry& operator[](std::int32_t index) const { return entries_[static_cast<std::size_t>(index)]; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<Entry> entries_;
};

/// Calls `f(entry, begin, end)` for each stretch of rows with the same value, nulls as empty ones: sorted rows repeat
/// their tags thousands of times.
template <typename F>
void for_each_run(const arrow::Int32Array& indices, const Entries& entries, F f) {
  static const Entry kNull;
  const std::int32_t* raw = indices.raw_values();
  const std::int64_t rows = indices.length();
  const bool no_nulls = indices.null_count() == 0;
  for (std::int64_t begin = 0; begin < rows;) {
    std::int64_t end = begin + 1;
    if (no_nulls) {
      while (end < rows && raw[end] == raw[begin]) ++end;
      f(entries[raw[begin]], begin, end);
    } else {
      f(indices.IsValid(begin) ? entries[raw[begin]] : kNull, begin, end);
    }
    begin = end;
  }
}

/// Offsets of the values; false if they exceed an array's 2 GiB.
bool make_offsets(const arrow::Int32Array& indices, const Entries& entries, std::int32_t* offsets) {
  std::int64_t at = 0;
  for_each_run(indices, entries, [&](const Entry& entry, std::int64_t begin, std::int64_t end) {
    if (at + entry.length * (end - begin) > std::numeric_limits<std::int32_t>::max()) {
      at = std::numeric_limits<std::int64_t>::max() / 2;  // stays there
      return;
    }
    const auto first = static_cast<std::int32_t>(at);
    const auto length = static_cast<std::int32_t>(entry.length);
    const auto count = static_cast<std::int32_t>(end - begin);
    for (std::int32_t i = 0; i < count; ++i) offsets[begin + i] = first + i * length;
    at += entry.length * count;
  });
  if (at > std::numeric_limits<std::int32_t>::max()) return false;
  offsets[indices.length()] = static_cast<std::int32_t>(at);
  return true;
}

/// So many bytes: those at the begin, which are there, again and again.
void repeat(std::uint8_t* out, std::size_t there, std::size_t bytes) {
  for (std::size_t more = 0; there < bytes; there += more) {
    more = std::min(there, bytes - there);
    std::memcpy(out + there, out, more);
  }
}

/// `out` has room for a block beyond the last value.
void copy_values(const arrow::Int32Array& indices, const Entries& entries, std::uint8_t* out) {
  constexpr std::int64_t kLongRun = 16;
  for_each_run(indices, entries, [&](const Entry& entry, std::int64_t begin, std::int64_t end) {
    if (entry.length == 0) return;
    if (end - begin >= kLongRun) {
      const auto bytes = static_cast<std::size_t>(entry.length * (end - begin));
      std::memcpy(out, entry.data, static_cast<std::size_t>(entry.length));
      repeat(out, static_cast<std::size_t>(entry.length), bytes);
      out += bytes;
      return;
    }
    for (std::int64_t i = begin; i < end; ++i, out += entry.length) {
      if (entry.length <= kBlockBytes) {
        std::memcpy(out, entry.data, kBlockBytes);
      } else {
        std::memcpy(out, entry.data, static_cast<std::size_t>(entry.length));
      }
    }
  });
}

Result<std::shared_ptr<arrow::Array>> string_values(const arrow::DictionaryArray& array, const std::string& doing) {
  const auto& indices = static_cast<const arrow::Int32Array&>(*array.indices());
  const Entries entries(static_cast<const arrow::BinaryArray&>(*array.dictionary()));
  MARIGRAM_ASSIGN(std::shared_ptr<arrow::Buffer> offsets_buffer,
                  allocate_buffer((indices.length() + 1) * static_cast<std::int64_t>(sizeof(std::int32_t)), doing));
  auto* offsets = reinterpret_cast<std::int32_t*>(offsets_buffer->mutable_data());
  if (!make_offsets(indices, entries, offsets)) {
    return fail(
        ErrorCode::kResourceExhausted,
        fmt::format("{}: {} rows hold more than 2 GiB of text; ask for smaller batches", doing, indices.length()));
  }
  const std::int64_t size = offsets[indices.length()];
  MARIGRAM_ASSIGN(std::shared_ptr<arrow::Buffer> bytes, allocate_buffer(size + kBlockBytes, doing));
  copy_values(indices, entries, bytes->mutable_data());
  std::shared_ptr<arrow::Buffer> text = arrow::SliceBuffer(std::move(bytes), 0, size);
  std::shared_ptr<arrow::Buffer> valid;
  const std::int64_t null_count = indices.null_count();
  if (null_count > 0) {
    auto copy =
        arrow::internal::CopyBitmap(memory_pool(), indices.null_bitmap_data(), indices.offset(), indices.length());
    if (!copy.ok()) return std::unexpected(from_arrow_status(copy.status(), doing, true));
    valid = *std::move(copy);
  }
  const auto& type = static_cast<const arrow::DictionaryType&>(*array.type()).value_type();
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, indices.length(), {std::move(valid), std::move(offsets_buffer), std::move(text)}, null_count));
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> dictionary_values(const arrow::Array& dictionary, const std::string& doing) {
  const auto& array = static_cast<const arrow::DictionaryArray&>(dictionary);
  const auto& type = static_cast<const arrow::DictionaryType&>(*array.type());
  const bool strings = type.value_type()->id() == arrow::Type::STRING || type.value_type()->id() == arrow::Type::BINARY;
  if (strings && type.index_type()->id() == arrow::Type::INT32 && array.dictionary()->null_count() == 0) {
    return string_values(array, doing);
  }
  auto plain = arrow::compute::Cast(dictionary, type.value_type());
  if (!plain.ok()) return std::unexpected(from_arrow_status(plain.status(), doing, true));
  return *std::move(plain);
}

}  // namespace marigram::segment
