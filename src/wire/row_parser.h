// What the parsers of all protocols have in common: text in pieces of any size in, rows and complaints out.
#pragma once

#include "model/rows.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::wire {

inline constexpr std::size_t kReasonBytesMax = 1'000;

/// At most `bytes_max` bytes of the beginning of UTF-8, cut between characters.
std::string_view beginning(std::string_view text, std::size_t bytes_max);

/// Why a record gave no row, and where it is.
struct RowError {
  std::uint64_t line = 0;    ///< counted from 1
  std::uint64_t column = 0;  ///< of bytes in that line, counted from 1; 0: the record as a whole
  std::string reason = {};   ///< at most kReasonBytesMax, whatever the record holds

  /// "line 3, column 17: ..."
  std::string text() const;
  friend bool operator==(const RowError&, const RowError&) = default;
};

struct ParserOptions {
  TimeUnit unit = TimeUnit::kNano;             ///< of the rows made
  bool widen = false;                          ///< numbers of different types may meet in one field, as floats
  std::size_t record_bytes_max = 1024 * 1024;  ///< a longer record is an error, and is never held in memory whole
  std::size_t errors_max = 100;                ///< so many are kept; all are counted
};

/// A parser of records (lines, mostly). Each good record becomes a row; each bad one an error that says why, and the
/// next record is read as if nothing had happened: whether rows are wanted although there are errors is the caller's
/// choice. How the text was cut into pieces makes no difference.
///
/// Feed pieces of moderate size, and take the rows when there are enough of them. Not thread-safe.
class RowParser {
 public:
  explicit RowParser(const ParserOptions& options) : options_(options) {}
  virtual ~RowParser() = default;
  RowParser(const RowParser&) = delete;
  RowParser& operator=(const RowParser&) = delete;

  /// The text's next bytes. O(bytes); at most record_bytes_max of them are kept.
  void feed(std::string_view piece);
  /// The text's end: the last record needs no newline. Nothing may be fed afterwards.
  void finish();

  /// What take() would give.
  std::size_t rows() const { return rows_; }
  /// The bytes of text that these rows were.
  std::uint64_t bytes() const { return bytes_; }
  /// The rows since the last call, tables by name, rows in order of arrival.
  model::WriteBatch take();

  /// The first errors_max errors.
  const std::vector<RowError>& errors() const { return errors_; }
  std::uint64_t error_count() const { return error_count_; }

 protected:
  const ParserOptions& options() const { return options_; }

  /// Where the record that `text` begins with ends, the position of its newline; npos if `text` lacks it. The first
  /// `seen` bytes were looked at in calls before, which began with 0 seen.
  virtual std::size_t find_end(std::string_view text, std::size_t seen) = 0;
  /// A record without its newline, to be answered by add(), refuse() or neither. It may hold newlines.
  virtual void parse(std::string_view record) = 0;
  /// A record was too long; it was refused unseen.
  virtual void skipped() {}
  /// All records were parsed.
  virtual void end() {}

  /// Adds a row, or refuses the record for what is wrong with the row.
  void add(std::string_view table, std::span<const Tag> tags, std::int64_t time, std::span<const model::Field> fields);
  /// The record in hand has no row: because of its byte `at`, or as a whole.
  void refuse(std::size_t at, std::string reason);
  void refuse(std::string reason);

  /// For parsers that keep records to look at them later.
  std::uint64_t line() const { return line_; }
  void set_record(std::uint64_t line, std::string_view record);

 private:
  std::size_t consume(std::string_view text);
  std::size_t skip_line(std::string_view text);
  void take_record(std::string_view record);
  void report(RowError error);

  ParserOptions options_;
  std::string pending_;      // the beginning of a record whose end has not come
  std::size_t seen_ = 0;     // of pending_, by find_end
  bool skipping_ = false;    // in a record that is too long, up to a newline
  std::string_view record_;  // in hand
  std::uint64_t line_ = 1;   // where record_ begins
  std::uint64_t next_line_ = 1;
  std::map<std::string, model::RowsBuilder, std::less<>> tables_;
  model::RowsBuilder* table_ = nullptr;  // the one that got the last row
  std::string table_name_;
  std::size_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<RowError> errors_;
  std::uint64_t error_count_ = 0;
};

}  // namespace marigram::wire
