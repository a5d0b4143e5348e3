// Any bytes as a chunk of the head: nothing is read outside them, and what decodes has as many rows as it should.
#include "head/chunk.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using marigram::head::Fields;
using marigram::model::FieldType;

const Fields& fields() {
  static const Fields all{{.name = "f", .type = FieldType::kFloat64},
                          {.name = "i", .type = FieldType::kInt64},
                          {.name = "s", .type = FieldType::kString},
                          {.name = "b", .type = FieldType::kBool}};
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto rows = static_cast<std::uint16_t>(1 + (data[0] | (data[1] & 3U) << 8U));
  const marigram::head::ChunkInfo info{.rows = rows, .has_nulls = (data[1] & 4U) != 0, .min = 0};
  const std::vector<std::uint32_t> chosen{0, 1, 2, 3, 4};  // the last one was added later
  Fields asked = fields();
  asked.push_back({.name = "later"});
  marigram::head::Rows out(asked);
  if (!marigram::head::decode_chunk(std::span(data + 2, size - 2), info, fields(), chosen, out)) return 0;
  if (out.size() != rows) std::abort();
  for (const auto& column : out.columns) {
    if (column.valid.size() != rows || (column.is_text() ? column.strings.size() : column.cells.size()) != rows) {
      std::abort();
    }
  }
  return 0;
}
