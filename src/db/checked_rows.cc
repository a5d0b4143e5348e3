#include "db/checked_rows.h"

#include "base/try.h"
#include "model/row_limits.h"
#include "model/rows.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/type.h>

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace marigram::db {
namespace {

/// Whether model::check_rows would take the text: most are fine, and rows are many.
bool is_fine(std::string_view text, bool tag) {
  const std::size_t bytes_max = tag ? model::kTagValueBytesMax : model::kStringBytesMax;
  return text.size() <= bytes_max && !(tag && text.contains('\0')) && simdjson::validate_utf8(text);
}

/// One column of a table.
struct Column {
  const std::string& table;
  const std::string& name;
  bool tag = false;

  /// In the words of inserts.
  Status refuse(std::string_view text) const {
    model::TableRows row{.table = table, .series = {{}}};
    if (tag) row.series.front().push_back({.name = name, .value = std::string(text)});
    if (!tag) row.fields.push_back({.name = name, .type = model::FieldType::kString, .strings = {std::string(text)}});
    return model::check_rows(row, {});
  }

  template <typename Texts>
  Status check_each(const arrow::Array& values) const {
    const auto& texts = static_cast<const Texts&>(values);
    std::string_view last;
    for (std::int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i)) continue;
      const std::string_view text = texts.GetView(i);
      if (text == last) continue;
      if (!is_fine(text, tag)) return refuse(text);
      last = text;
    }
    return {};
  }

  Status check(const arrow::Array& values) const {
    switch (values.type_id()) {
      case arrow::Type::STRING:
        return check_each<arrow::StringArray>(values);
      case arrow::Type::LARGE_STRING:
        return check_each<arrow::LargeStringArray>(values);
      case arrow::Type::STRING_VIEW:
        return check_each<arrow::StringViewArray>(values);
      case arrow::Type::DICTIONARY:
        return check(*static_cast<const arrow::DictionaryArray&>(values).dictionary());
      default:
        return {};
    }
  }
};

class CheckedRows : public arrow::RecordBatchReader {
 public:
  CheckedRows(std::shared_ptr<arrow::RecordBatchReader> rows, std::string table, std::vector<std::string> tags)
      : rows_(std::move(rows)), table_(std::move(table)), tags_(std::move(tags)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    if (*batch == nullptr) return arrow::Status::OK();
    const Status checked = check(**batch);
    return checked ? arrow::Status::OK() : segment::to_arrow_status(checked.error());
  }

 private:
  Status check(const arrow::RecordBatch& batch) const {
    for (int i = 0; i < batch.num_columns(); ++i) {
      const std::string& name = batch.column_name(i);
      const bool tag = std::ranges::find(tags_, name) != tags_.end();
      MARIGRAM_TRY((Column{.table = table_, .name = name, .tag = tag}.check(*batch.column(i))));
    }
    return {};
  }

  const std::shared_ptr<arrow::RecordBatchReader> rows_;
  const std::string table_;
  const std::vector<std::string> tags_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> check_texts(std::shared_ptr<arrow::RecordBatchReader> rows, std::string table,
                                                      std::vector<std::string> tags) {
  return std::make_shared<CheckedRows>(std::move(rows), std::move(table), std::move(tags));
}

}  // namespace marigram::db
