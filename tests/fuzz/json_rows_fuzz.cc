// JSON lines: whatever the bytes, the pieces they come in make no difference, and each line that is not blank is a row
// or an error.
//
// The first byte says how long pieces are, and bit 7 makes lines of more than 64 bytes too long.
#include "wire/json_rows.h"
#include "wire/test_parsing.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using marigram::wire::JsonParser;
using marigram::wire::test::Parsed;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Lines with more than blanks, tabs and a carriage return at their end.
std::uint64_t lines_of(std::string_view text) {
  std::uint64_t lines = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) ++lines;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool is_short = (data[0] & 0x80U) != 0;
  const marigram::wire::ParserOptions options = {.record_bytes_max = is_short ? std::size_t{64} : 1'048'576};
  JsonParser whole_parser(options);
  const Parsed whole = marigram::wire::test::parse_whole(whole_parser, text);
  JsonParser pieces_parser(options);
  const Parsed pieces = marigram::wire::test::parse_in_pieces(pieces_parser, text, [&] { return 1 + (data[0] & 15U); });
  require(pieces == whole);
  if (!is_short) require(whole.points.size() + whole.error_count == lines_of(text));
  return 0;
}
