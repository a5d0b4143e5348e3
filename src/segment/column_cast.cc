#include "segment/column_cast.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/arrow_status.h"
#include "segment/dictionary_values.h"
#include "segment/memory_pool.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <string>

namespace marigram::segment {
namespace {

/// Whether both types have the same buffers with the same meaning: names, nullability, metadata and zones do not count.
bool same_layout(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() != b.id() || a.num_fields() != b.num_fields()) return false;
  switch (a.id()) {
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(a).unit() == static_cast<const arrow::TimestampType&>(b).unit();
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      for (int i = 0; i < a.num_fields(); ++i) {
        // Fields of a struct are found by name.
        if (a.id() == arrow::Type::STRUCT && a.field(i)->name() != b.field(i)->name()) return false;
        if (!same_layout(*a.field(i)->type(), *b.field(i)->type())) return false;
      }
      return true;
    default:
      return a.Equals(b);
  }
}

/// A map's entries are a struct whose names are Arrow's business.
bool same_storage(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.id() == arrow::Type::MAP && to.id() == arrow::Type::MAP) {
    const auto& a = static_cast<const arrow::MapType&>(from);
    const auto& b = static_cast<const arrow::MapType&>(to);
    return same_layout(*a.key_type(), *b.key_type()) && same_layout(*a.item_type(), *b.item_type());
  }
  if (from.id() == arrow::Type::UINT64 && to.id() == arrow::Type::INT64) return true;
  if (from.id() == arrow::Type::STRING && to.id() == arrow::Type::BINARY) return true;
  return same_layout(from, to);
}

std::shared_ptr<arrow::ArrayData> relabel(const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
  auto copy = data.Copy();
  copy->type = type;
  for (std::size_t i = 0; i < copy->child_data.size(); ++i) {
    copy->child_data[i] = relabel(*copy->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return copy;
}

/// A list whose offsets are wide or implied, where the table (as v1 reads Parquet) has a plain one.
bool is_other_list(const arrow::DataType& from, const arrow::DataType& to) {
  return to.id() == arrow::Type::LIST &&
         (from.id() == arrow::Type::LARGE_LIST || from.id() == arrow::Type::FIXED_SIZE_LIST);
}

bool can_widen(const arrow::DataType& from, const arrow::DataType& to) {
  const auto a = from_arrow_field(arrow::Field("", from.GetSharedPtr()));
  const auto b = from_arrow_field(arrow::Field("", to.GetSharedPtr()));
  return a && b && model::can_widen(a->type, b->type);
}

}  // namespace

bool can_become(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.id() == arrow::Type::DICTIONARY) {
    return can_become(*static_cast<const arrow::DictionaryType&>(from).value_type(), to);
  }
  if (is_other_list(from, to)) return can_become(*from.field(0)->type(), *to.field(0)->type());
  return same_storage(from, to) || can_widen(from, to);
}

Result<std::shared_ptr<arrow::Array>> become(const std::shared_ptr<arrow::Array>& values,
                                             const std::shared_ptr<arrow::DataType>& to, const std::string& doing) {
  if (values->type()->Equals(*to)) return values;
  if (values->type_id() == arrow::Type::DICTIONARY) {
    MARIGRAM_ASSIGN(const auto plain, dictionary_values(*values, doing));
    return become(plain, to, doing);
  }
  if (same_storage(*values->type(), *to)) return arrow::MakeArray(relabel(*values->data(), to));
  auto cast = arrow::compute::Cast(*values, to, arrow::compute::CastOptions::Safe());
  if (!cast.ok()) return std::unexpected(from_arrow_status(cast.status(), doing, true));
  return *std::move(cast);
}

Result<std::shared_ptr<arrow::Array>> absent_column(const std::shared_ptr<arrow::DataType>& type, bool text_tag,
                                                    std::int64_t rows, const std::string& doing) {
  auto array = text_tag ? arrow::MakeArrayFromScalar(arrow::StringScalar(""), rows, memory_pool())
                        : arrow::MakeArrayOfNull(type, rows, memory_pool());
  if (!array.ok()) return std::unexpected(from_arrow_status(array.status(), doing, true));
  return *std::move(array);
}

Status check_nulls(const arrow::Array& values, bool nullable, const std::string& column, const std::string& doing) {
  if (nullable || values.null_count() == 0) return {};
  return fail(ErrorCode::kCorruption,
              fmt::format("{}: column {} holds null values, and the table's is not nullable", doing, column));
}

}  // namespace marigram::segment
