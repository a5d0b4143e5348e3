#include "table/head_source.h"

#include "base/try.h"
#include "segment/arrow_status.h"

#include <arrow/api.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr const char* kDoing = "cannot read rows in memory";

/// Rows of one series at the end of a batch.
struct Piece {
  head::SeriesId series = 0;
  std::size_t rows = 0;
};

/// Where a column's values come from.
struct Origin {
  enum class Kind { kTime, kTag, kField, kNone };
  Kind kind = Kind::kNone;
  std::size_t position = 0;  // of the tag in the dictionary, or of the field among those that are read
};

Result<ArrayPtr> from_arrow(arrow::Result<ArrayPtr> made) {
  if (made.ok()) return std::move(made).ValueUnsafe();
  return std::unexpected(segment::from_arrow_status(made.status(), kDoing, false));
}

/// Bits of flags that are 0 or 1.
std::shared_ptr<arrow::Buffer> bitmap_of(std::span<const std::uint8_t> flags) {
  std::vector<std::uint8_t> bits((flags.size() + 7) / 8);
  for (std::size_t i = 0; i < flags.size(); ++i) bits[i / 8] |= static_cast<std::uint8_t>(flags[i] << i % 8);
  return arrow::Buffer::FromVector(std::move(bits));
}

ArrayPtr fixed_width(const std::shared_ptr<arrow::DataType>& type, std::size_t rows,
                     std::shared_ptr<arrow::Buffer> valid, std::shared_ptr<arrow::Buffer> values) {
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, static_cast<std::int64_t>(rows), {std::move(valid), std::move(values)}));
}

arrow::Result<ArrayPtr> text_array(std::span<const std::string_view> strings, std::span<const std::uint8_t> valid) {
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<std::int64_t>(strings.size())));
  for (std::size_t i = 0; i < strings.size(); ++i) {
    ARROW_RETURN_NOT_OK(valid[i] != 0 ? builder.Append(strings[i]) : builder.AppendNull());
  }
  return builder.Finish();
}

Result<ArrayPtr> field_array(head::Column column, const std::shared_ptr<arrow::DataType>& type) {
  const std::size_t rows = column.valid.size();
  if (column.is_text()) return from_arrow(text_array(column.strings, column.valid));
  std::shared_ptr<arrow::Buffer> valid;
  if (std::ranges::find(column.valid, 0) != column.valid.end()) valid = bitmap_of(column.valid);
  if (type->id() != arrow::Type::BOOL) {
    return fixed_width(type, rows, std::move(valid), arrow::Buffer::FromVector(std::move(column.cells)));
  }
  const std::vector<std::uint8_t> flags(column.cells.begin(), column.cells.end());
  return fixed_width(type, rows, std::move(valid), bitmap_of(flags));
}

template <typename Builder>
arrow::Result<ArrayPtr> tag_numbers(std::span<const Piece> pieces, const auto& value_of) {
  Builder builder;
  for (const Piece& piece : pieces) {
    typename Builder::value_type number{};
    const std::string_view text = value_of(piece.series);
    std::from_chars(text.data(), text.data() + text.size(), number);
    for (std::size_t i = 0; i < piece.rows; ++i) ARROW_RETURN_NOT_OK(builder.Append(number));
  }
  return builder.Finish();
}

/// Fills `out` with the text, again and again: each copy is as long as all before it.
void repeat(std::string_view text, std::span<char> out) {
  std::size_t done = std::min(text.size(), out.size());
  std::copy_n(text.begin(), done, out.begin());
  while (done < out.size()) {
    const std::size_t count = std::min(done, out.size() - done);
    std::copy_n(out.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += count;
  }
}

arrow::Result<ArrayPtr> tag_texts(std::span<const Piece> pieces, const auto& value_of) {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (const Piece& piece : pieces) {
    rows += piece.rows;
    bytes += piece.rows * value_of(piece.series).size();
  }
  if (bytes > std::numeric_limits<std::int32_t>::max()) {
    return arrow::Status::CapacityError(bytes, " bytes of tags in a batch; read fewer rows at a time");
  }
  std::vector<std::int32_t> offsets(rows + 1);
  std::string texts(bytes, '\0');
  std::size_t row = 0;
  std::size_t at = 0;
  for (const Piece& piece : pieces) {
    const std::string_view text = value_of(piece.series);
    repeat(text, std::span(texts).subspan(at, piece.rows * text.size()));
    for (std::size_t i = 0; i < piece.rows; ++i) {
      at += text.size();
      offsets[++row] = static_cast<std::int32_t>(at);
    }
  }
  return std::make_shared<arrow::StringArray>(static_cast<std::int64_t>(rows),
                                              arrow::Buffer::FromVector(std::move(offsets)),
                                              arrow::Buffer::FromString(std::move(texts)));
}

class HeadSource : public BatchSource {
 public:
  HeadSource(HeadRead read, std::shared_ptr<arrow::Schema> columns)
      : read_(std::move(read)), columns_(std::move(columns)) {
    std::vector<std::uint32_t> chosen;
    for (const auto& field : columns_->fields()) origins_.push_back(origin_of(field->name(), chosen));
    reader_.emplace(read_.views, read_.schema->fields, std::move(chosen), read_.equal, read_.wanted);
    series_ = read_.wanted ? *std::move(read_.wanted) : reader_->series();
    sort_series();
  }

  Result<BatchPtr> next() override {
    head::Rows rows = reader_->no_rows();
    std::vector<Piece> pieces;
    while (rows.size() < read_.batch_rows && (begun_ || next_ < series_.size())) MARIGRAM_TRY(take(rows, pieces));
    if (rows.size() == 0) return nullptr;
    return make_batch(std::move(rows), pieces);
  }

 private:
  Origin origin_of(const std::string& column, std::vector<std::uint32_t>& chosen) const {
    if (column == read_.schema->time_column) return {.kind = Origin::Kind::kTime};
    const auto& tags = read_.schema->tags;
    if (std::ranges::find(tags, column, &model::Column::name) != tags.end()) {
      const auto number = read_.series->find_tag(column);
      return number ? Origin{.kind = Origin::Kind::kTag, .position = *number} : Origin{};
    }
    const auto field = read_.schema->numbers.find(column);
    if (field == read_.schema->numbers.end()) return {};
    chosen.push_back(field->second);
    return {.kind = Origin::Kind::kField, .position = chosen.size() - 1};
  }

  /// By the values of their tags, in the table's order and as the table format compares them.
  void sort_series() {
    std::vector<std::pair<SeriesKey, head::SeriesId>> keyed;
    keyed.reserve(series_.size());
    for (const head::SeriesId id : series_) keyed.emplace_back(series_key(*read_.schema, *read_.series, id), id);
    std::ranges::sort(keyed);
    std::ranges::transform(keyed, series_.begin(), &std::pair<SeriesKey, head::SeriesId>::second);
  }

  /// Moves rows of one series to the end of `rows`, as many as there is room for.
  Status take(head::Rows& rows, std::vector<Piece>& pieces) {
    if (!begun_) {
      begun_ = reader_->no_rows();
      begun_rows_ = 0;
      MARIGRAM_TRY(reader_->read(series_[next_++], read_.times, *begun_));
    }
    const std::size_t count = std::min(begun_->size() - begun_rows_, read_.batch_rows - rows.size());
    rows.append(*begun_, begun_rows_, count);
    if (count > 0) pieces.push_back({.series = series_[next_ - 1], .rows = count});
    begun_rows_ += count;
    if (begun_rows_ == begun_->size()) begun_.reset();
    return {};
  }

  Result<ArrayPtr> tag_array(const Origin& origin, std::span<const Piece> pieces, arrow::Type::type type) const {
    const auto value_of = [&](head::SeriesId id) {
      return read_.series->value(id, static_cast<head::TagNumber>(origin.position));
    };
    switch (type) {
      case arrow::Type::INT32:
        return from_arrow(tag_numbers<arrow::Int32Builder>(pieces, value_of));
      case arrow::Type::INT64:
        return from_arrow(tag_numbers<arrow::Int64Builder>(pieces, value_of));
      case arrow::Type::UINT64:
        return from_arrow(tag_numbers<arrow::UInt64Builder>(pieces, value_of));
      default:
        return from_arrow(tag_texts(pieces, value_of));
    }
  }

  Result<BatchPtr> make_batch(head::Rows rows, std::span<const Piece> pieces) const {
    const std::size_t count = rows.size();
    const std::shared_ptr<arrow::Buffer> times = arrow::Buffer::FromVector(std::move(rows.times));
    std::vector<ArrayPtr> arrays;
    arrays.reserve(origins_.size());
    for (std::size_t i = 0; i < origins_.size(); ++i) {
      const auto& type = columns_->field(static_cast<int>(i))->type();
      Result<ArrayPtr> array = nullptr;
      switch (origins_[i].kind) {
        case Origin::Kind::kTime:
          array = fixed_width(type, count, nullptr, times);
          break;
        case Origin::Kind::kTag:
          array = tag_array(origins_[i], pieces, type->id());
          break;
        case Origin::Kind::kField:
          array = field_array(std::move(rows.columns[origins_[i].position]), type);
          break;
        case Origin::Kind::kNone:
          array = from_arrow(arrow::MakeArrayOfNull(type, static_cast<std::int64_t>(count)));
          break;
      }
      if (!array) return std::unexpected(std::move(array).error());
      arrays.push_back(std::move(*array));
    }
    return arrow::RecordBatch::Make(columns_, static_cast<std::int64_t>(count), std::move(arrays));
  }

  HeadRead read_;
  std::shared_ptr<arrow::Schema> columns_;
  std::vector<Origin> origins_;
  std::optional<head::HeadReader> reader_;
  std::vector<head::SeriesId> series_;
  std::size_t next_ = 0;             // of series_
  std::optional<head::Rows> begun_;  // of the series before, from begun_rows_ on
  std::size_t begun_rows_ = 0;
};

}  // namespace

std::unique_ptr<BatchSource> head_source(HeadRead read, std::shared_ptr<arrow::Schema> columns) {
  return std::make_unique<HeadSource>(std::move(read), std::move(columns));
}

}  // namespace marigram::table
