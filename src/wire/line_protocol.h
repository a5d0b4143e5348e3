// InfluxDB's line protocol, version 2: the measurement is the table.
//
//   cpu,host=a,region=eu usage=1.5,count=3i,total=4u,up=t,note="all is well" 1600000000000000000
//   └measurement and tags┘ └fields: float, int64, uint64, bool, string┘     └time, optional┘
//
// The grammar is that of influxdata/line-protocol. What it leaves open:
// - A backslash escapes a comma, a blank and (but for measurements) an equals sign; before anything else it is a
//   backslash. In strings it escapes `"`, `\`, and n, r, t as newline, carriage return, tab.
// - A tag or a field twice in a line is an error. Tags may come in any order.
// - Floats that are too small are 0; numbers that are too large are errors; NaN and infinity have no spelling.
// - A newline is a part of a string, and ends the line elsewhere, in front of an error too.
#pragma once

#include "model/rows.h"
#include "wire/row_parser.h"

#include <marigram/error.h>
#include <marigram/tags.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::wire {

/// Lines to rows. Their times are in ParserOptions::unit, as timestamps are written.
class LineParser final : public RowParser {
 public:
  /// `default_time`, in options.unit, is that of lines without one.
  LineParser(const ParserOptions& options, std::int64_t default_time)
      : RowParser(options), default_time_(default_time) {}

 private:
  /// Where in a line find_end is.
  enum class Part { kBegin, kComment, kSeries, kFieldName, kFieldBegin, kFieldValue, kString, kTime };

  std::size_t find_end(std::string_view text, std::size_t seen) override;
  void parse(std::string_view line) override;

  Part step(char c);
  bool parse_point();
  bool parse_series();
  bool parse_tag();
  bool parse_fields();
  bool parse_value(model::Field& field);
  bool parse_string(model::Field& field);
  bool parse_value_end();
  bool parse_time();
  /// Refuses the line; false.
  bool wrong(std::size_t at, std::string reason);

  /// The byte at hand; a newline, which no name or number holds, at the line's end.
  char peek() const { return at_ < line_text_.size() ? line_text_[at_] : '\n'; }
  /// The character at hand, for messages.
  std::string here() const;
  void skip_blanks();
  /// The text up to an unescaped special or control character.
  std::string_view take_name(unsigned specials);
  std::string_view unescape(std::string_view text, unsigned specials);

  std::int64_t default_time_ = 0;
  // find_end
  Part part_ = Part::kBegin;
  bool backslash_ = false;  // the last byte, if it escapes the next
  // The line in hand. Tags and fields keep their memory from line to line.
  std::string_view line_text_;
  bool is_cut_ = false;  // where it stops to be UTF-8
  std::size_t at_ = 0;
  std::string unescaped_;  // names that were not as they stand in the line; never reallocated while a line is parsed
  std::string_view table_;
  std::vector<Tag> tags_;
  std::size_t tag_count_ = 0;
  std::vector<model::Field> fields_;
  std::size_t field_count_ = 0;
  std::int64_t time_ = 0;
};

/// One row as a line, without a newline at its end; null fields are left out. Parsing it gives the same row.
/// kInvalidInput for what the protocol cannot say: no field, an empty name or tag value, NaN, infinity, text that is no
/// UTF-8, and in names and tag values control characters, a backslash at the end, a `#` that begins the table's name.
Result<std::string> to_line(std::string_view table, std::span<const Tag> tags, std::span<const model::Field> fields,
                            std::optional<std::int64_t> time);

}  // namespace marigram::wire
