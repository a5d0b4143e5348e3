// JSON lines: one row an object a line.
//
//   {"table": "cpu", "tags": {"host": "a"}, "time": "2026-01-01T00:00:00Z", "fields": {"usage": 1.5, "count": 3}}
//
// - "tags" may be missing; its values are strings. "time" is RFC 3339, or an integer in ParserOptions::unit.
// - "fields" has at least one member: a number, string, true, false or null. Numbers without point and exponent are
//   int64, above its range uint64, above that one an error; other numbers are float64.
// - Other members, members that come twice, and documents deeper than 127 levels are errors. Blank lines are skipped.
#pragma once

#include "log/json_in.h"
#include "model/rows.h"
#include "wire/row_parser.h"

#include <marigram/error.h>
#include <marigram/tags.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::wire {

class JsonParser final : public RowParser {
 public:
  explicit JsonParser(ParserOptions options) : RowParser(options) {}

 private:
  std::size_t find_end(std::string_view text, std::size_t seen) override;
  void parse(std::string_view line) override;

  Status parse_row(std::string_view line);
  Status parse_tags(const log::json::Slot& slot);
  Status parse_fields(const log::json::Slot& slot);

  log::json::Parser json_;
  std::string padded_;  // the line, as the parser wants it
  std::vector<Tag> tags_;
  std::vector<model::Field> fields_;
};

}  // namespace marigram::wire
