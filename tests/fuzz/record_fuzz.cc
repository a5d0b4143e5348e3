// Any bytes as a record of the write-ahead log: an error or a batch whose columns fit together.
#include "table/record.h"

#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto record = marigram::table::decode_record(std::as_bytes(std::span(data, size)));
  if (!record) return 0;
  for (const auto& section : record->sections) {
    const std::size_t rows = section.times.size();
    if (section.series.size() != rows) std::abort();
    for (const auto& field : section.fields) {
      const bool text = field.values.type == marigram::model::FieldType::kString;
      if ((text ? field.values.strings.size() : field.values.cells.size()) != rows) std::abort();
      if (!field.values.valid.empty() && field.values.valid.size() != rows) std::abort();
    }
  }
  return 0;
}
