// Line protocol: whatever the bytes, the pieces they come in make no difference, and what was read can be written as
// lines that read the same.
//
// The first byte says how long pieces are, and bit 7 makes lines of more than 16 bytes too long.
#include "model/rows.h"
#include "wire/line_protocol.h"
#include "wire/test_parsing.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using marigram::wire::LineParser;
using marigram::wire::ParserOptions;
using marigram::wire::test::Parsed;
using marigram::wire::test::Point;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string line_of(const Point& point) {
  std::vector<marigram::model::Field> fields;
  fields.reserve(point.fields.size());
  for (const auto& [name, value] : point.fields) fields.push_back({.name = name, .value = value});
  return marigram::wire::to_line(point.table, point.tags, fields, point.time).value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  ParserOptions options;
  if ((data[0] & 0x80U) != 0) options.record_bytes_max = 16;
  LineParser whole_parser(options, 7);
  const Parsed whole = marigram::wire::test::parse_whole(whole_parser, text);
  LineParser pieces_parser(options, 7);
  const Parsed pieces = marigram::wire::test::parse_in_pieces(pieces_parser, text, [&] { return 1 + (data[0] & 15U); });
  require(pieces == whole);

  std::string written;
  for (const Point& point : whole.points) written += line_of(point) + "\n";
  LineParser again_parser({}, 0);
  const Parsed again = marigram::wire::test::parse_whole(again_parser, written);
  require(again.errors.empty());
  require(again.points == whole.points);
  return 0;
}
