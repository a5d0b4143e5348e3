// CSV: whatever the bytes, the pieces they come in make no difference, and each record is a row or an error.
//
// The first byte: how long pieces are, and in bits 4 to 6 how the columns are mapped.
#include "wire/csv_rows.h"
#include "wire/test_parsing.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using marigram::wire::CsvMapping;
using marigram::wire::CsvParser;
using marigram::wire::test::Parsed;

void require(bool holds) {
  if (!holds) std::abort();
}

CsvMapping mapping_of(unsigned how) {
  CsvMapping mapping{.table = "m", .time_column = "t", .sample_rows = how & 0x30U};
  if ((how & 0x40U) != 0) {
    mapping.time_unit = marigram::TimeUnit::kMilli;
    mapping.tags = {"host"};
    mapping.types = {{"v", marigram::model::FieldType::kString}};
  }
  return mapping;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const marigram::wire::ParserOptions options = {.record_bytes_max = (data[0] & 0x80U) != 0 ? std::size_t{16} : 4'096};
  CsvParser whole_parser(options, mapping_of(data[0]));
  const Parsed whole = marigram::wire::test::parse_whole(whole_parser, text);
  CsvParser pieces_parser(options, mapping_of(data[0]));
  const Parsed pieces = marigram::wire::test::parse_in_pieces(pieces_parser, text, [&] { return 1 + (data[0] & 15U); });
  require(pieces == whole);
  const auto lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n')) + 1;
  require(whole.points.size() + whole.error_count <= lines);
  return 0;
}
