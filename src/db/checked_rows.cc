#include "db/checked_rows.h"

#include "base/try.h"
#include "model/row_limits.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace marigram::db {
namespace {

/// Whether two arrays are the same memory, and so the same values.
bool are_same(const arrow::ArrayData& a, const arrow::ArrayData& b) {
  const auto address = [](const std::shared_ptr<arrow::Buffer>& buffer) { return buffer ? buffer->address() : 0; };
  return a.type->id() == b.type->id() && a.length == b.length && a.offset == b.offset && a.dictionary == b.dictionary &&
         std::ranges::equal(a.buffers, b.buffers, {}, address, address);
}

/// One column of a table.
struct Column {
  std::string name;
  bool tag = false;
  // Of the last rows: the next have the same more often than not.
  std::shared_ptr<arrow::ArrayData> dictionary = nullptr;

  Status check_text(const std::string& table, std::string_view text) const {
    return tag ? model::check_tag_value(table, name, text) : model::check_string(table, name, text);
  }

  template <typename Texts>
  Status check_each(const std::string& table, const arrow::Array& values) const {
    const auto& texts = static_cast<const Texts&>(values);
    std::string_view last;
    for (std::int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i)) continue;
      const std::string_view text = texts.GetView(i);
      if (text == last) continue;
      MARIGRAM_TRY(check_text(table, text));
      last = text;
    }
    return {};
  }

  Status check_dictionary(const std::string& table, const arrow::Array& values) {
    if (dictionary && are_same(*dictionary, *values.data())) return {};
    MARIGRAM_TRY(check(table, values));
    dictionary = values.data();
    return {};
  }

  Status check(const std::string& table, const arrow::Array& values) {
    switch (values.type_id()) {
      case arrow::Type::STRING:
        return check_each<arrow::StringArray>(table, values);
      case arrow::Type::LARGE_STRING:
        return check_each<arrow::LargeStringArray>(table, values);
      case arrow::Type::STRING_VIEW:
        return check_each<arrow::StringViewArray>(table, values);
      case arrow::Type::DICTIONARY:
        return check_dictionary(table, *static_cast<const arrow::DictionaryArray&>(values).dictionary());
      default:
        return {};
    }
  }
};

class CheckedRows : public arrow::RecordBatchReader {
 public:
  CheckedRows(std::shared_ptr<arrow::RecordBatchReader> rows, std::string table, const std::vector<std::string>& tags)
      : rows_(std::move(rows)), table_(std::move(table)) {
    for (const auto& field : rows_->schema()->fields()) {
      const bool tag = std::ranges::find(tags, field->name()) != tags.end();
      columns_.push_back({.name = field->name(), .tag = tag});
    }
  }

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    if (*batch == nullptr) return arrow::Status::OK();
    const Status checked = check(**batch);
    return checked ? arrow::Status::OK() : segment::to_arrow_status(checked.error());
  }

 private:
  Status check(const arrow::RecordBatch& batch) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      MARIGRAM_TRY(columns_[i].check(table_, *batch.column(static_cast<int>(i))));
    }
    return {};
  }

  const std::shared_ptr<arrow::RecordBatchReader> rows_;
  const std::string table_;
  std::vector<Column> columns_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> check_texts(std::shared_ptr<arrow::RecordBatchReader> rows, std::string table,
                                                      const std::vector<std::string>& tags) {
  return std::make_shared<CheckedRows>(std::move(rows), std::move(table), tags);
}

}  // namespace marigram::db
