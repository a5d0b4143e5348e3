#include "query/asof_column.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "segment/native_arrays.h"
#include "segment/pool_array.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BufferPtr = std::shared_ptr<arrow::Buffer>;

constexpr const char* kDoing = "cannot join the rows";

template <typename T>
Result<T> checked(arrow::Result<T> result) {
  if (result.ok()) return *std::move(result);
  return std::unexpected(segment::from_arrow_status(result.status(), kDoing, false));
}

/// Which of the rows that were put are null: few, so nothing is kept until one is.
class Nulls {
 public:
  explicit Nulls(std::size_t rows) : rows_(rows) {}

  void set(std::uint32_t row, bool null) {
    if (null) {
      std::call_once(once_, [this] { is_null_.resize(rows_); });
      any_.store(true, std::memory_order_release);
      is_null_[row] = 1;
    } else if (any_.load(std::memory_order_acquire)) {  // else this row was not set before
      is_null_[row] = 0;
    }
  }
  void set_all(std::span<const std::uint32_t> rows, bool null) {
    if (!null && !any_.load(std::memory_order_acquire)) return;
    for (const std::uint32_t row : rows) set(row, null);
  }

  /// Of each row 1 if it has a value. `put`: of each row 1 if it was; must last as long as the answer. Once.
  std::span<const std::uint8_t> valid(std::span<const std::uint8_t> put) {
    if (is_null_.empty()) return put;
    for (std::size_t row = 0; row < put.size(); ++row) is_null_[row] = put[row] & (is_null_[row] ^ 1U);
    return is_null_;
  }

 private:
  std::size_t rows_;
  std::once_flag once_;
  std::atomic<bool> any_ = false;      // is_null_ has its size
  std::vector<std::uint8_t> is_null_;  // empty until a row is null
};

class NullableColumn : public AsofColumn {
 public:
  explicit NullableColumn(std::size_t rows) : nulls_(rows) {}

  Status put_nulls(const AsofPicks& picks) override {
    nulls_.set_all(picks.to, true);
    return {};
  }

 protected:
  Nulls nulls_;
};

/// Of any type that is as wide as T.
template <typename T>
class NumberColumn : public NullableColumn {
 public:
  /// `values`: unset.
  NumberColumn(std::shared_ptr<arrow::DataType> type, segment::PoolArray<T> values)
      : NullableColumn(values.size()), type_(std::move(type)), values_(std::move(values)) {}

  Status put(const arrow::Array& values, std::int64_t begin, const AsofPicks& picks) override {
    put_values(values.data()->GetValues<T>(1), begin, picks);
    put_valid(picks, values.null_count() > 0, [&](std::int64_t row) { return values.IsNull(row - begin); });
    return {};
  }

  Status put(const segment::BlockView& block, std::int64_t begin, const AsofPicks& picks) override {
    if (block.width == sizeof(T)) {
      put_values(static_cast<const T*>(block.cells), begin, picks);
    } else {
      put_values(static_cast<const std::uint64_t*>(block.cells), begin, picks);
    }
    put_valid(picks, !block.decoded.valid.empty(),
              [&](std::int64_t row) { return block.is_null(static_cast<std::size_t>(row - begin)); });
    return {};
  }

  Result<ArrayPtr> finish(std::span<const std::uint8_t> put) override {
    const auto valid = nulls_.valid(put);
    clear_unset<T>(valid, values_.all());
    return segment::make_fixed(type_, valid.size(), valid, values_.take(), kDoing);
  }

 private:
  template <typename Cell>
  void put_values(const Cell* cells, std::int64_t begin, const AsofPicks& picks) {
    const auto rows = picks.rows;
    put_at(picks.to, values_.all(), [=](std::size_t i) { return static_cast<T>(cells[rows[i] - begin]); });
  }

  template <typename IsNull>
  void put_valid(const AsofPicks& picks, bool may_be_null, IsNull is_null) {
    if (!may_be_null) return nulls_.set_all(picks.to, false);
    for (std::size_t i = 0; i < picks.to.size(); ++i) nulls_.set(picks.to[i], is_null(picks.rows[i]));
  }

  std::shared_ptr<arrow::DataType> type_;
  segment::PoolArray<T> values_;
};

class BoolColumn : public NullableColumn {
 public:
  explicit BoolColumn(std::size_t rows) : NullableColumn(rows), values_(rows) {}

  Status put(const arrow::Array& values, std::int64_t begin, const AsofPicks& picks) override {
    const auto& bools = static_cast<const arrow::BooleanArray&>(values);
    for (std::size_t i = 0; i < picks.to.size(); ++i) {
      const std::int64_t row = picks.rows[i] - begin;
      set(picks.to[i], bools.IsValid(row) && bools.Value(row), bools.IsNull(row));
    }
    return {};
  }

  Status put(const segment::BlockView& block, std::int64_t begin, const AsofPicks& picks) override {
    const auto* const cells = static_cast<const std::uint64_t*>(block.cells);
    for (std::size_t i = 0; i < picks.to.size(); ++i) {
      const auto within = static_cast<std::size_t>(picks.rows[i] - begin);
      set(picks.to[i], cells[within] != 0, block.is_null(within));
    }
    return {};
  }

  Result<ArrayPtr> finish(std::span<const std::uint8_t> put) override {
    MARIGRAM_ASSIGN(BufferPtr bits, segment::make_bitmap(values_, kDoing));
    return segment::make_fixed(arrow::boolean(), put.size(), nulls_.valid(put), std::move(bits), kDoing);
  }

 private:
  void set(std::uint32_t row, bool value, bool null) {
    values_[row] = value ? 1 : 0;
    nulls_.set(row, null);
  }

  std::vector<std::uint8_t> values_;
};

/// Strings and other bytes: copies of those that were put, and where each row's are.
class TextColumn : public NullableColumn {
 public:
  TextColumn(std::shared_ptr<arrow::DataType> type, std::size_t rows)
      : NullableColumn(rows), type_(std::move(type)), texts_(rows) {}

  Status put(const arrow::Array& values, std::int64_t begin, const AsofPicks& picks) override {
    const auto& texts = static_cast<const arrow::BinaryArray&>(values);
    copy(
        picks, [&](std::int64_t row) { return texts.IsNull(row - begin); },
        [&](std::int64_t row) { return texts.GetView(row - begin); });
    return {};
  }

  Status put(const segment::BlockView& block, std::int64_t begin, const AsofPicks& picks) override {
    copy(
        picks, [&](std::int64_t row) { return block.is_null(static_cast<std::size_t>(row - begin)); },
        [&](std::int64_t row) { return block.decoded.texts[static_cast<std::size_t>(row - begin)]; });
    return {};
  }

  Result<ArrayPtr> finish(std::span<const std::uint8_t> put) override {
    const auto valid = nulls_.valid(put);
    const segment::BlockValues values{.texts = std::move(texts_), .valid = {valid.begin(), valid.end()}};
    return segment::make_array(segment::ValueKind::kText, type_, put.size(), values, kDoing);
  }

 private:
  template <typename IsNull, typename TextOf>
  void copy(const AsofPicks& picks, IsNull is_null, TextOf text_of) {
    std::size_t bytes = 0;
    for (const std::int64_t row : picks.rows) bytes += is_null(row) ? 0 : text_of(row).size();
    std::string& copied = add(bytes);
    for (std::size_t i = 0; i < picks.to.size(); ++i) {
      const bool null = is_null(picks.rows[i]);
      nulls_.set(picks.to[i], null);
      if (null) continue;
      const std::string_view text = text_of(picks.rows[i]);
      const std::size_t at = copied.size();
      copied.append(text);
      texts_[picks.to[i]] = std::string_view(copied).substr(at);
    }
  }

  /// Room for so many bytes, which then stay where they are.
  std::string& add(std::size_t bytes) {
    auto room = std::make_unique<std::string>();
    room->reserve(bytes);
    const std::lock_guard lock(mutex_);
    return *copies_.emplace_back(std::move(room));
  }

  std::shared_ptr<arrow::DataType> type_;
  std::vector<std::string_view> texts_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::string>> copies_;  // guarded by mutex_; not what they hold
};

/// Of any other type, which native segments have none of: arrays of what was put.
class OtherColumn : public NullableColumn {
 public:
  OtherColumn(std::shared_ptr<arrow::DataType> type, std::size_t rows)
      : NullableColumn(rows), type_(std::move(type)), kept_(rows) {}

  Status put(const arrow::Array& values, std::int64_t begin, const AsofPicks& picks) override {
    std::vector<std::int64_t> within(picks.rows.begin(), picks.rows.end());
    for (std::int64_t& row : within) row -= begin;
    const auto rows = std::make_shared<arrow::Int64Array>(within.size(), arrow::Buffer::Wrap(within));
    MARIGRAM_ASSIGN(ArrayPtr taken, checked(take_rows(arrow::MakeArray(values.data()), rows)));
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < picks.to.size(); ++i) {
      kept_[picks.to[i]] = count_ + static_cast<std::int64_t>(i);
      nulls_.set(picks.to[i], false);
    }
    count_ += taken->length();
    chunks_.push_back(std::move(taken));
    return {};
  }

  Status put(const segment::BlockView& /*block*/, std::int64_t /*begin*/, const AsofPicks& /*picks*/) override {
    return fail(ErrorCode::kInternal,
                std::string(kDoing) + ": a native segment has a column of type " + type_->ToString());
  }

  Result<ArrayPtr> finish(std::span<const std::uint8_t> put) override {
    if (chunks_.empty()) {
      return checked(arrow::MakeArrayOfNull(type_, static_cast<std::int64_t>(put.size()), segment::memory_pool()));
    }
    MARIGRAM_ASSIGN(const ArrayPtr all, checked(arrow::Concatenate(chunks_, segment::memory_pool())));
    MARIGRAM_ASSIGN(const ArrayPtr kept, segment::make_fixed(arrow::int64(), put.size(), nulls_.valid(put),
                                                             arrow::Buffer::FromVector(std::move(kept_)), kDoing));
    return checked(take_rows(all, kept));
  }

 private:
  static arrow::Result<ArrayPtr> take_rows(const ArrayPtr& values, const ArrayPtr& rows) {
    arrow::compute::ExecContext context(segment::memory_pool());
    return arrow::compute::Take(*values, *rows, arrow::compute::TakeOptions::NoBoundsCheck(), &context);
  }

  std::shared_ptr<arrow::DataType> type_;
  std::vector<std::int64_t> kept_;  // which of those in chunks_
  std::mutex mutex_;
  std::int64_t count_ = 0;     // guarded by mutex_
  arrow::ArrayVector chunks_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<AsofColumn>> AsofColumn::make(std::shared_ptr<arrow::DataType> type, std::size_t rows) {
  const auto numbers = [&]<typename T>(T /*as wide as they*/) -> Result<std::unique_ptr<AsofColumn>> {
    MARIGRAM_ASSIGN(auto values, segment::PoolArray<T>::make(rows, kDoing));
    return std::make_unique<NumberColumn<T>>(std::move(type), std::move(values));
  };
  switch (type->id()) {
    case arrow::Type::BOOL:
      return std::make_unique<BoolColumn>(rows);
    case arrow::Type::INT32:
    case arrow::Type::FLOAT:
      return numbers(std::uint32_t{});
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::DOUBLE:
    case arrow::Type::TIMESTAMP:
      return numbers(std::uint64_t{});
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return std::make_unique<TextColumn>(std::move(type), rows);
    default:
      return std::make_unique<OtherColumn>(std::move(type), rows);
  }
}

}  // namespace marigram::query
