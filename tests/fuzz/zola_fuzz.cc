// Days of zola folders: whatever their files hold, opening and reading one gives an error, or rows by (symbol, time),
// as many as it says it has, within their day.
//
// The input is files one behind the other: which one (a byte), its length (2 bytes), its bytes.
#include "base/manual_clock.h"
#include "io/memory_store.h"
#include "segment/zola_format.h"
#include "segment/zola_reader.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace {

namespace segment = marigram::segment;

constexpr std::array kFiles{"timestamp.col", "symbol.col",    "p.col",       "n.col",
                            ".parted",       ".first_values", ".last_values"};

void put_files(marigram::io::ObjectStore& store, const std::uint8_t* data, std::size_t size) {
  while (size > 3) {
    const std::size_t length = std::min<std::size_t>(data[1] | data[2] << 8U, size - 3);
    const std::string name = kFiles[data[0] % kFiles.size()];
    const std::string bytes(reinterpret_cast<const char*>(data) + 3, length);
    if (!store.put("2024.01.15/" + name, bytes)) std::abort();
    data += 3 + length;
    size -= 3 + length;
  }
}

/// Whether all rows came, so that none is in disorder.
bool read_all(const segment::ZolaReader& reader) {
  const auto rows = reader.read_all();
  if (!rows) std::abort();
  std::uint64_t count = 0;
  std::pair last{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min()};
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (!(*rows)->ReadNext(&batch).ok()) return false;
    if (!batch) break;
    if (!batch->ValidateFull().ok()) std::abort();
    const auto* const symbols = batch->column(0)->data()->GetValues<std::int64_t>(1);
    const auto* const times = batch->column(1)->data()->GetValues<std::int64_t>(1);
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      const std::pair next{symbols[row], times[row]};
      if (next < last || *segment::zola_date(times[row] / segment::kMicrosPerDay) != "2024.01.15") std::abort();
      last = next;
    }
    count += static_cast<std::uint64_t>(batch->num_rows());
  }
  if (count != reader.rows()) std::abort();
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto columns = segment::parse_zola_schema({reinterpret_cast<const char*>(data), size}, "cannot read .schema");
  if (columns && *segment::parse_zola_schema(segment::format_zola_schema(*columns), "again") != *columns) std::abort();
  const marigram::ManualClock clock;
  const auto store = marigram::io::make_memory_store(clock);
  put_files(*store, data, size);
  const auto reader = segment::ZolaReader::open(*store, "2024.01.15/timestamp.col");
  if (!reader) return 0;
  if (read_all(**reader)) (void)(*reader)->check_claims({});
  return 0;
}
