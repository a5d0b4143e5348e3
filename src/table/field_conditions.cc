#include "table/field_conditions.h"

#include "base/try.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <limits>
#include <string_view>
#include <variant>

namespace marigram::table {
namespace {

using model::TypeId;

/// Holds every integer of 64 bits, and every double.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 64);

/// What values can be compared.
enum class Kind { kNumber, kBool, kText, kOther };

Kind kind_of(TypeId type) {
  if (model::is_number(type)) return Kind::kNumber;
  switch (type) {
    case TypeId::kBool:
      return Kind::kBool;
    case TypeId::kUtf8:
      return Kind::kText;
    default:
      return Kind::kOther;
  }
}

/// In the order of Value.
constexpr Kind kKindOfValue[] = {Kind::kOther,  Kind::kBool, Kind::kNumber, Kind::kNumber,
                                 Kind::kNumber, Kind::kText, Kind::kOther};

Number number_of(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<Number>(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<Number>(*number);
  return static_cast<Number>(std::get<double>(value));
}

bool holds(Comparison comparison, std::partial_ordering order) {
  switch (comparison) {
    case Comparison::kEqual:
      return order == 0;
    case Comparison::kNotEqual:
      return order != 0;
    case Comparison::kLess:
      return order < 0;
    case Comparison::kLessOrEqual:
      return order <= 0;
    case Comparison::kGreater:
      return order > 0;
    case Comparison::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

template <typename ValueOf, typename T>
void compare(const arrow::Array& values, Comparison comparison, const T& with, ValueOf value_of,
             std::vector<std::uint8_t>& fulfils) {
  for (std::int64_t row = 0; row < values.length(); ++row) {
    const bool is_so = values.IsValid(row) && holds(comparison, std::partial_ordering(value_of(row) <=> with));
    if (!is_so) fulfils[static_cast<std::size_t>(row)] = 0;
  }
}

template <typename Array>
void compare_numbers(const arrow::Array& values, const FieldCondition& condition, std::vector<std::uint8_t>& fulfils) {
  const auto& numbers = static_cast<const Array&>(values);
  compare(
      values, condition.comparison, number_of(condition.value),
      [&](std::int64_t row) { return static_cast<Number>(numbers.Value(row)); }, fulfils);
}

void compare(const arrow::Array& values, const FieldCondition& condition, std::vector<std::uint8_t>& fulfils) {
  switch (values.type_id()) {
    case arrow::Type::INT32:
      return compare_numbers<arrow::Int32Array>(values, condition, fulfils);
    case arrow::Type::INT64:
      return compare_numbers<arrow::Int64Array>(values, condition, fulfils);
    case arrow::Type::UINT64:
      return compare_numbers<arrow::UInt64Array>(values, condition, fulfils);
    case arrow::Type::FLOAT:
      return compare_numbers<arrow::FloatArray>(values, condition, fulfils);
    case arrow::Type::DOUBLE:
      return compare_numbers<arrow::DoubleArray>(values, condition, fulfils);
    case arrow::Type::BOOL: {
      const auto& bools = static_cast<const arrow::BooleanArray&>(values);
      return compare(
          values, condition.comparison, std::get<bool>(condition.value),
          [&](std::int64_t row) { return bools.Value(row); }, fulfils);
    }
    default: {
      const auto& texts = static_cast<const arrow::StringArray&>(values);
      return compare(
          values, condition.comparison, std::string_view(std::get<std::string>(condition.value)),
          [&](std::int64_t row) { return texts.GetView(row); }, fulfils);
    }
  }
}

}  // namespace

Status check_conditions(const model::Schema& schema, const model::IndexSpec& index,
                        const std::vector<FieldCondition>& conditions) {
  for (const auto& [field, comparison, value] : conditions) {
    const model::Column* const column = schema.find(field);
    const bool is_key = field == index.column || std::ranges::find(index.tags, field) != index.tags.end();
    if (column == nullptr || is_key) {
      return fail(ErrorCode::kNotFound, fmt::format("cannot use a condition on {}: it is {} of the table", field,
                                                    is_key ? "a tag or the time, and no field" : "no field"));
    }
    const Kind kind = kind_of(column->type.id);
    if (kind != Kind::kOther && kind == kKindOfValue[value.index()]) continue;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use a condition on {}: it is of type {}, which the value is not", field,
                            model::format_type(column->type)));
  }
  return {};
}

std::vector<std::string> fields_of(const std::vector<FieldCondition>& conditions) {
  std::vector<std::string> fields;
  for (const FieldCondition& condition : conditions) {
    if (std::ranges::find(fields, condition.field) == fields.end()) fields.push_back(condition.field);
  }
  return fields;
}

std::vector<std::uint8_t> fulfilling_rows(const arrow::RecordBatch& batch,
                                          const std::vector<FieldCondition>& conditions) {
  std::vector<std::uint8_t> fulfils(static_cast<std::size_t>(batch.num_rows()), 1);
  for (const FieldCondition& condition : conditions) {
    compare(*batch.GetColumnByName(condition.field), condition, fulfils);
  }
  return fulfils;
}

}  // namespace marigram::table
