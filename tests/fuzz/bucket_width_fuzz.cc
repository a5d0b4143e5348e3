// Texts that users type: bucket widths, durations, column types, times. Whatever is accepted prints and reads back as
// itself.
#include "base/bucket_width.h"
#include "model/schema.h"
#include "model/table_meta.h"

#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto width = marigram::parse_bucket_width(text)) {
    require(width->count >= 1 && width->seconds() >= 1);
    const auto again = marigram::parse_bucket_width(marigram::format_bucket_width(*width));
    require(again && *again == *width);
  }
  if (const auto seconds = marigram::parse_duration_seconds(text)) require(*seconds >= 0);
  if (const auto type = marigram::model::parse_type(text)) {
    const auto again = marigram::model::parse_type(marigram::model::format_type(*type));
    require(again && *again == *type && marigram::model::can_widen(*type, *type));
  }
  if (const auto instant = marigram::parse_rfc3339(text)) {
    const auto again = marigram::parse_rfc3339(marigram::format_rfc3339(*instant));
    require(again && *again == *instant);
  }
  if (marigram::model::is_canonical_path(text)) {
    require(!text.empty() && text.front() != '/' && text != ".." && !text.starts_with("../"));
  }
  return 0;
}
