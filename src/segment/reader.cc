#include "segment/reader.h"

#include "segment/native_reader.h"
#include "segment/parquet_reader.h"
#include "segment/zola_reader.h"

namespace marigram::segment {

Result<std::shared_ptr<SegmentReader>> open_segment(io::ObjectStore& store, const std::string& key,
                                                    SegmentFormat format) {
  if (format == SegmentFormat::kNative) return NativeReader::open(store, key);
  if (format == SegmentFormat::kZola) return ZolaReader::open(store, key);
  return ParquetReader::open(store, key);
}

}  // namespace marigram::segment
