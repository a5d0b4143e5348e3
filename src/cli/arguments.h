// Values of options, from text to what the library takes. Failures are usage errors: they set context.usage_error.
#pragma once

#include <marigram/error.h>
#include <marigram/remove.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::cli {

struct Context;

/// `a=b` cut at the first `=`; both sides non-empty unless `empty_value`. `option` is named in the message.
Result<std::pair<std::string, std::string>> parse_pair(Context& context, std::string_view option,
                                                       const std::string& text, bool empty_value);

/// The same of an option that may be repeated.
Result<std::vector<std::pair<std::string, std::string>>> parse_pairs(Context& context, std::string_view option,
                                                                     const std::vector<std::string>& texts,
                                                                     bool empty_value);

/// Repeated tag=value: the same tag collects values (any of them), different tags narrow.
Result<std::vector<TagPredicate>> parse_where(Context& context, const std::vector<std::string>& texts);

/// `temp>=30`, `state!=on`: a field, = != < <= > or >=, and a value of the field's type in that table.
Result<std::vector<FieldCondition>> parse_field_conditions(Context& context, const std::vector<std::string>& texts,
                                                           const TableInfo& info);

/// A point of the table's index: RFC 3339 or a date, or an integer where the index is one.
Result<IndexValue> parse_index_value(Context& context, std::string_view option, const std::string& text,
                                     const TableInfo& info);

struct IndexRange {
  std::optional<IndexValue> from;
  std::optional<IndexValue> to;
};

/// --from and --to; an empty text is absent. Both given, from must lie before to.
Result<IndexRange> parse_range(Context& context, const std::string& from, const std::string& to, const TableInfo& info);

/// NAME:TYPE, cut at the first colon after which a type stands (names and zones may contain colons).
Result<ColumnInfo> parse_column(Context& context, std::string_view option, const std::string& text);

/// NAME, NAME:string, NAME:int32, NAME:int64 or NAME:uint64.
Result<ColumnInfo> parse_tag(Context& context, const std::string& text);

/// Which version, of --at and the like: a number, a time, or else a name.
Result<OpenOptions> parse_at(Context& context, const std::string& text);

}  // namespace marigram::cli
