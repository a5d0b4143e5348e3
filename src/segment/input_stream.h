// Segment files as Arrow's input interfaces, without copies.
#pragma once

#include "segment/segment_file.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace arrow::io {
class InputStream;
class RandomAccessFile;
}  // namespace arrow::io

namespace marigram::segment {

/// The whole file, for Arrow's own readers. Failures carry our errors.
std::shared_ptr<arrow::io::RandomAccessFile> make_input_file(std::shared_ptr<const SegmentFile> file);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Some stretches of a file, one after the other, as one stream: a column chunk without the pages that nobody wants. No
/// read crosses the end of a stretch.
Result<std::shared_ptr<arrow::io::InputStream>> make_input_stream(const SegmentFile& file,
                                                                  const std::vector<ByteRange>& ranges);

}  // namespace marigram::segment
