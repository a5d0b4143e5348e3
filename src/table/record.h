// A batch of rows as a record of the write-ahead log.
//
// Numbers are little-endian; `uleb` is unsigned LEB128, `text` is uleb length and bytes, a block is one of codec/.
//
//   u8 version (1), u64 LSN of the epoch, u32 bytes of the rows, rows, definitions
//
//   rows         uleb tables; for each: uleb table, uleb rows, block of integers (series), block of integers (times),
//                uleb fields; for each: uleb field, u8 type, u8 nulls (0 none, 1 some: then a bit a row follows, 1 for
//                a value), and the values of all rows, that of a null being 0 or empty: of doubles 8 bytes each, of
//                strings uleb bytes and a block of strings, else a block of integers
//   definitions  uleb tables; for each: uleb table, u8 whether the table is described: text namespace, text name, i64
//                and u32 time of its creation (seconds, nanoseconds), uleb tags, text each, uleb fields, text each;
//                then uleb series; for each: uleb series, uleb tags; for each: uleb tag, text value
//
// Tables, series, tags and fields are numbered by the process that wrote the record. What a number means is said by
// the last definition before it in the same epoch, the record's own included. An epoch begins where a file does, so
// that each file stands alone, and where a process begins to write, so that no number is taken for that of another
// process when a definition is lost.
#pragma once

#include "codec/bit_writer.h"
#include "head/rows.h"
#include "model/rows.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::table {

/// Rows in a record, and values (rows times fields), of all tables: what a reader must be ready to hold.
inline constexpr std::uint64_t kRecordRowsMax = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kRecordValuesMax = std::uint64_t{1} << 22;

/// What a table's number means.
struct TableDefinition {
  std::string name_space = {};
  std::string name = {};
  Instant created_at = {};  ///< tells the table from another of its name, made after it was dropped
  std::vector<std::string> tags = {};
  std::vector<std::string> fields = {};

  friend bool operator==(const TableDefinition&, const TableDefinition&) = default;
};

struct NumberedTag {
  std::uint32_t tag = 0;
  std::string_view value = {};

  friend bool operator==(const NumberedTag&, const NumberedTag&) = default;
};

/// What a series' number means: the tags that it has.
struct SeriesDefinition {
  head::SeriesId id = 0;
  std::vector<NumberedTag> tags = {};

  friend bool operator==(const SeriesDefinition&, const SeriesDefinition&) = default;
};

/// A field's values in a record.
struct RecordField {
  std::uint32_t field = 0;
  model::FieldColumn values = {};  ///< without its name

  friend bool operator==(const RecordField&, const RecordField&) = default;
};

/// One table's part of a record. Texts of tags point into the record.
struct RecordSection {
  std::uint64_t table = 0;
  std::optional<TableDefinition> definition = {};
  std::vector<SeriesDefinition> defined = {};
  std::vector<head::SeriesId> series = {};  ///< one a row
  std::vector<std::int64_t> times = {};     ///< one a row, in the table's unit
  std::vector<RecordField> fields = {};

  friend bool operator==(const RecordSection&, const RecordSection&) = default;
};

struct Record {
  std::uint64_t epoch = 0;  ///< LSN at which it began
  std::vector<RecordSection> sections = {};

  friend bool operator==(const Record&, const Record&) = default;
};

/// Rows of one table, to be encoded. Borrows; null: no row has that field.
struct SectionRows {
  std::uint64_t table = 0;
  std::span<const head::SeriesId> series;
  std::span<const std::int64_t> times;
  std::span<const model::FieldColumn* const> fields;  ///< at the position that is their number
};

/// Makes a record in two steps: the rows, which cost most, need not know which epoch they will be of. All have at most
/// kRecordRowsMax rows and kRecordValuesMax values.
class RecordWriter {
 public:
  /// Of so many tables, each to be added once.
  explicit RecordWriter(std::size_t tables);

  /// O(values).
  void add(const SectionRows& rows);
  /// The whole record, of an epoch; of `definitions` only table, definition and defined count. May be called again.
  std::span<const std::byte> finish(std::uint64_t epoch, std::span<const RecordSection> definitions);

 private:
  codec::Buffer bytes_;
  std::size_t rows_end_ = 0;
};

/// Reads a record; what it defines comes with the section of the same table. kCorruption for what is no record. Memory:
/// linear in the bytes for all but strings, of which each row has its own.
Result<Record> decode_record(std::span<const std::byte> payload);

}  // namespace marigram::table
