// Native segments: whatever the sections and the blocks of a file say, opening and reading it gives an error or rows,
// as many as it says it has, and the file that its structure is written as again gives the same.
//
// The input is the five sections, each behind its length (2 bytes), then blocks, as they lie from byte 64 of the file
// on. The checksums are made right: a fuzzer does not guess them.
#include "base/manual_clock.h"
#include "io/memory_store.h"
#include "segment/native_bytes.h"
#include "segment/native_parts.h"
#include "segment/native_reader.h"
#include "segment/native_structure.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace {

namespace segment = marigram::segment;
using marigram::codec::Buffer;
using marigram::codec::Bytes;

constexpr std::uint64_t kRowsMax = 100'000;

Buffer take_section(Bytes& input) {
  if (input.size() < 2) return {};
  const std::size_t length = std::min<std::size_t>(input[0] | input[1] << 8U, input.size() - 2);
  const Bytes section = input.subspan(2, length);
  input = input.subspan(2 + length);
  return {section.begin(), section.end()};
}

/// Reads all rows, if the file lets it.
void read_all(const Buffer& file) {
  const marigram::ManualClock clock;
  const auto store = marigram::io::make_memory_store(clock);
  if (!store->put("x.mgs", std::string(file.begin(), file.end()))) std::abort();
  const auto reader = segment::NativeReader::open(*store, "x.mgs");
  if (!reader || (*reader)->rows() > kRowsMax) return;
  const auto rows = (*reader)->read_all();
  if (!rows) return;
  std::uint64_t count = 0;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (!(*rows)->ReadNext(&batch).ok()) return;
    if (!batch) break;
    if (!batch->Validate().ok()) std::abort();
    count += static_cast<std::uint64_t>(batch->num_rows());
  }
  if (count != (*reader)->rows()) std::abort();
}

/// The same segment with checksums that fit its blocks; unset if its structure is damaged.
std::optional<Buffer> sealed(const Buffer& file, std::size_t blocks_end) {
  auto structure = segment::read_native_structure(std::as_bytes(std::span(file)), "cannot read x.mgs");
  if (!structure) return std::nullopt;
  for (auto& blocks : structure->blocks) {
    for (segment::NativeBlock& block : blocks) {
      if (block.bytes == 0) continue;
      block.checksum = segment::checksum(Bytes(file).subspan(block.offset, block.bytes));
    }
  }
  Buffer whole(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(blocks_end));
  const Buffer end = segment::native_end(*structure, blocks_end);
  whole.insert(whole.end(), end.begin(), end.end());
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes input(data, size);
  segment::NativeSections<Buffer> sections;
  for (Buffer* section : {&sections.schema, &sections.series, &sections.pages, &sections.columns, &sections.presence}) {
    *section = take_section(input);
  }
  Buffer file = segment::native_header();
  file.insert(file.end(), input.begin(), input.end());
  const std::size_t blocks_end = file.size();
  const Buffer end = segment::native_end(sections, blocks_end);
  file.insert(file.end(), end.begin(), end.end());
  read_all(file);
  const auto whole = sealed(file, blocks_end);
  if (!whole) return 0;
  read_all(*whole);
  if (sealed(*whole, blocks_end) != whole) std::abort();
  return 0;
}
