// What a table that is written through the head takes: lengths, counts, and the names that are its own.
#pragma once

#include "model/rows.h"

#include <marigram/error.h>

#include <cstddef>
#include <string_view>

namespace marigram::model {

inline constexpr std::size_t kTableNameBytesMax = 255;
inline constexpr std::size_t kColumnNameBytesMax = 255;  ///< of a tag or a field
inline constexpr std::size_t kTagValueBytesMax = 16 * 1024;
inline constexpr std::size_t kStringBytesMax = 1024 * 1024;  ///< of a field's value
inline constexpr std::size_t kSeriesTagsMax = 256;
inline constexpr std::size_t kTableFieldsMax = 4'096;
/// The time column of tables that are made by their first write.
inline constexpr std::string_view kTimeColumn = "time";
/// Names that begin like this are Marigram's own.
inline constexpr std::string_view kReservedPrefix = "__";

/// Whether rows may be written. kInvalidInput names the table, the column or tag and what is wrong: a limit above; text
/// that is no UTF-8; an empty name; a NUL in a name or a tag's value; a tag or field named like the time column or with
/// the reserved prefix; a name that is a tag and a field. Looks at each distinct series, each column and each string
/// once: O(series × tags + columns + bytes of strings), whatever the number of rows. Thread-safe.
Status check_rows(const TableRows& rows, std::string_view time_column = kTimeColumn);
/// The same of one value of a tag, and of a field that holds strings, in the same words. O(bytes). Thread-safe.
Status check_tag_value(std::string_view table, std::string_view tag, std::string_view value);
Status check_string(std::string_view table, std::string_view field, std::string_view value);

}  // namespace marigram::model
