// The values of a packed column as it is read, one class an encoding. Each has kEncoding and kOlderName, the pages that
// it takes; open_page() begins one, skip() and take() go on in it (false, or kCorruption: it ends before), `output`
// collects what was taken, and array() makes the column of it.
#pragma once

#include "base/try.h"
#include "codec/packed_bits.h"
#include "segment/delta_decoder.h"
#include "segment/hybrid_decoder.h"
#include "segment/memory_pool.h"
#include "segment/segment_file.h"
#include "segment/utf8_text.h"
#include "segment/value_pages.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace marigram::segment {

/// Values as they are read. T: an unsigned integer of their width.
template <typename T>
class Output {
 public:
  Status reserve(std::int64_t rows, const SegmentFile& file) {
    MARIGRAM_ASSIGN(buffer_, allocate_buffer(rows * static_cast<std::int64_t>(sizeof(T)), file.doing()));
    next_ = reinterpret_cast<T*>(buffer_->mutable_data());
    return {};
  }
  /// Room for more values.
  T* take(std::size_t count) { return std::exchange(next_, next_ + count); }

  /// Moves the values to the rows that have one.
  void spread(const std::vector<std::uint8_t>& valid) {
    auto* values = reinterpret_cast<T*>(buffer_->mutable_data());
    const T* last = next_;
    for (std::size_t row = valid.size(); row > 0; --row) values[row - 1] = valid[row - 1] != 0 ? *--last : T{0};
  }

  /// The column; `valid`: null if every row has a value.
  std::shared_ptr<arrow::ArrayData> finish(std::shared_ptr<arrow::DataType> type, std::shared_ptr<arrow::Buffer> valid,
                                           std::int64_t nulls) {
    const std::int64_t rows = buffer_->size() / static_cast<std::int64_t>(sizeof(T));
    return arrow::ArrayData::Make(std::move(type), rows, {std::move(valid), std::move(buffer_)}, nulls);
  }

 private:
  std::shared_ptr<arrow::Buffer> buffer_;
  T* next_ = nullptr;
};

/// Indices of a page, whose first byte says how many bits each takes.
class IndexPage {
 public:
  static constexpr auto kEncoding = parquet::Encoding::RLE_DICTIONARY;
  static constexpr auto kOlderName = parquet::Encoding::PLAIN_DICTIONARY;

  explicit IndexPage(std::int32_t entries) : entries_(static_cast<std::uint32_t>(entries)) {}

  Status open_page(const ValuePages& pages) {
    const codec::Bytes bytes = pages.values();
    indices_ = {};
    if (bytes.empty()) return {};  // a page of nulls
    if (bytes.front() > 32) return pages.damaged("has a page of indices of more than 32 bits");
    indices_ = HybridDecoder(bytes.subspan(1), bytes.front());
    return {};
  }
  bool skip(std::size_t count) { return indices_.skip(count); }
  void prefetch(std::size_t ahead, std::size_t count) const { indices_.prefetch(ahead, count); }

 protected:
  Status read(std::uint32_t* out, std::size_t count, const ValuePages& pages) {
    if (!indices_.read(out, count)) return pages.damaged("has a page with fewer values than rows");
    std::uint32_t largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, out[i]);
    if (largest < entries_ || count == 0) return {};
    return pages.damaged(fmt::format("has an index beyond its dictionary of {} entries", entries_));
  }

 private:
  HybridDecoder indices_;
  std::uint32_t entries_;
};

/// Numbers of one width, looked up in the dictionary. T: an unsigned integer of that width.
template <typename T>
class DictionaryNumbers : public IndexPage {
 public:
  static Result<DictionaryNumbers> make(ValuePages& pages, std::shared_ptr<arrow::DataType> type) {
    MARIGRAM_ASSIGN(auto dictionary, pages.dictionary());
    if (dictionary.entries > dictionary.bytes->size() / static_cast<std::int64_t>(sizeof(T))) {
      return pages.damaged("has a dictionary that is cut short");
    }
    return DictionaryNumbers(std::move(dictionary), std::move(type));
  }

  Status take(std::size_t count, const ValuePages& pages) {
    std::array<std::uint32_t, 1'024> indices;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
    const std::uint8_t* entries = dictionary_.bytes->data();
    while (count > 0) {
      const std::size_t part = std::min(count, indices.size());
      MARIGRAM_TRY(read(indices.data(), part, pages));
      T* out = output.take(part);
      for (std::size_t i = 0; i < part; ++i) std::memcpy(out + i, entries + indices[i] * sizeof(T), sizeof(T));
      count -= part;
    }
    return {};
  }

  std::shared_ptr<arrow::Array> array(std::shared_ptr<arrow::Buffer> valid, std::int64_t nulls) {
    return arrow::MakeArray(output.finish(type_, std::move(valid), nulls));
  }

  Output<T> output;

 private:
  DictionaryNumbers(ValuePages::Dictionary dictionary, std::shared_ptr<arrow::DataType> type)
      : IndexPage(dictionary.entries), dictionary_(std::move(dictionary)), type_(std::move(type)) {}

  ValuePages::Dictionary dictionary_;
  std::shared_ptr<arrow::DataType> type_;
};

/// Strings, which stay indices into their dictionary.
class DictionaryStrings : public IndexPage {
 public:
  static Result<DictionaryStrings> make(ValuePages& pages, const std::shared_ptr<arrow::DataType>& type) {
    MARIGRAM_ASSIGN(const auto dictionary, pages.dictionary());
    MARIGRAM_ASSIGN(std::shared_ptr<arrow::Array> entries, read_strings(dictionary, type, pages));
    const bool text = type->id() == arrow::Type::STRING;
    if (text && !is_utf8(static_cast<const arrow::StringArray&>(*entries))) {
      return pages.damaged("holds text that is not UTF-8");
    }
    return DictionaryStrings(std::move(entries));
  }

  Status take(std::size_t count, const ValuePages& pages) { return read(output.take(count), count, pages); }

  std::shared_ptr<arrow::Array> array(std::shared_ptr<arrow::Buffer> valid, std::int64_t nulls) {
    auto data = output.finish(arrow::dictionary(arrow::int32(), entries_->type()), std::move(valid), nulls);
    data->dictionary = entries_->data();
    return arrow::MakeArray(data);
  }

  Output<std::uint32_t> output;

 private:
  explicit DictionaryStrings(std::shared_ptr<arrow::Array> entries)
      : IndexPage(static_cast<std::int32_t>(entries->length())), entries_(std::move(entries)) {}

  /// PLAIN: each value behind its length in four bytes.
  static Result<std::shared_ptr<arrow::Array>> read_strings(const ValuePages::Dictionary& dictionary,
                                                            const std::shared_ptr<arrow::DataType>& type,
                                                            const ValuePages& pages) {
    const std::int64_t entries = dictionary.entries;
    codec::Bytes rest(dictionary.bytes->data(), static_cast<std::size_t>(dictionary.bytes->size()));
    constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
    const auto cut_short = [&] { return pages.damaged("has a dictionary that is cut short"); };
    if (static_cast<std::size_t>(entries) > rest.size() / kLengthBytes) return cut_short();
    MARIGRAM_ASSIGN(
        std::shared_ptr<arrow::Buffer> offsets,
        allocate_buffer((entries + 1) * static_cast<std::int64_t>(sizeof(std::int32_t)), pages.file().doing()));
    MARIGRAM_ASSIGN(std::shared_ptr<arrow::Buffer> text,
                    allocate_buffer(dictionary.bytes->size(), pages.file().doing()));
    auto* offset = reinterpret_cast<std::int32_t*>(offsets->mutable_data());
    std::int32_t at = 0;
    *offset++ = at;
    for (std::int64_t i = 0; i < entries; ++i) {
      const auto length = static_cast<std::uint32_t>(codec::load_word(rest, 0));
      if (rest.size() < kLengthBytes || length > rest.size() - kLengthBytes) return cut_short();
      std::memcpy(text->mutable_data() + at, rest.data() + kLengthBytes, length);
      at += static_cast<std::int32_t>(length);
      *offset++ = at;
      rest = rest.subspan(kLengthBytes + length);
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, entries, {nullptr, std::move(offsets), arrow::SliceBuffer(text, 0, at)}, 0));
  }

  std::shared_ptr<arrow::Array> entries_;
};

/// Packed deltas. T: an unsigned integer of the values' width.
template <typename T>
class DeltaNumbers {
 public:
  static constexpr auto kEncoding = parquet::Encoding::DELTA_BINARY_PACKED;
  static constexpr auto kOlderName = kEncoding;

  explicit DeltaNumbers(std::shared_ptr<arrow::DataType> type) : type_(std::move(type)) {}

  Status open_page(const ValuePages& pages) {
    decoder_ = DeltaDecoder(pages.values());
    stretch_ = {};
    position_ = 0;
    return {};
  }

  void prefetch(std::size_t /*ahead*/, std::size_t /*count*/) const {}  // all that is skipped is read
  bool skip(std::size_t count) {
    return pass(count, true, [](const DeltaDecoder::Stretch&, std::size_t, std::size_t) {});
  }

  Status take(std::size_t count, const ValuePages& pages) {
    T* out = output.take(count);
    const bool whole =
        pass(count, false, [&](const DeltaDecoder::Stretch& stretch, std::size_t begin, std::size_t part) {
          if (stretch.values.empty()) {
            T value = static_cast<T>(stretch.first + stretch.step * begin);
            for (std::size_t i = 0; i < part; ++i, value += static_cast<T>(stretch.step)) out[i] = value;
          } else {
            for (std::size_t i = 0; i < part; ++i) out[i] = static_cast<T>(stretch.values[begin + i]);
          }
          out += part;
        });
    if (!whole) return pages.damaged("has a page with fewer values than rows");
    return {};
  }

  std::shared_ptr<arrow::Array> array(std::shared_ptr<arrow::Buffer> valid, std::int64_t nulls) {
    return arrow::MakeArray(output.finish(type_, std::move(valid), nulls));
  }

  Output<T> output;

 private:
  /// Calls use(stretch, begin, count) for the parts of stretches that the next values are.
  template <typename Use>
  bool pass(std::size_t count, bool unwanted, Use use) {
    while (count > 0) {
      if (position_ == stretch_.count) {
        if (!decoder_.next(stretch_, unwanted ? count : 0) || stretch_.count == 0) return false;
        position_ = 0;
      }
      const std::size_t part = std::min(count, stretch_.count - position_);
      use(stretch_, position_, part);
      position_ += part;
      count -= part;
    }
    return true;
  }

  std::shared_ptr<arrow::DataType> type_;
  DeltaDecoder decoder_;
  DeltaDecoder::Stretch stretch_;
  std::size_t position_ = 0;  // in it
};

}  // namespace marigram::segment
