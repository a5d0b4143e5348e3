#include "segment/utf8_text.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/utf8.h>

#include <cstdint>

namespace marigram::segment {

bool is_utf8(const arrow::StringArray& strings) {
  static const bool kReady = (arrow::util::InitializeUTF8(), true);
  const std::int32_t first = strings.value_offset(0);
  const std::int32_t size = strings.value_offset(strings.length()) - first;
  if (!kReady || size == 0) return true;
  const std::uint8_t* text = strings.value_data()->data();
  if (!arrow::util::ValidateUTF8(text + first, size)) return false;
  for (std::int64_t i = 0; i < strings.length(); ++i) {  // no value may start inside a character
    const std::int32_t at = strings.value_offset(i);
    if (at < first + size && (text[at] & 0xC0) == 0x80) return false;
  }
  return true;
}

}  // namespace marigram::segment
