#include "table/staging.h"

#include "base/hash.h"
#include "base/try.h"
#include "segment/writer.h"
#include "table/coverage_files.h"
#include "table/engine.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace marigram::table {
namespace {

constexpr std::string_view kAppendFolder = "data/_managed/append/";  // the reference's vacuum knows it
constexpr std::string_view kDataFolderV1 = "data/";

/// v1: "seg-" and the first 32 hex digits of BLAKE3("segment-id-v1" 00 path 00 bytes).
Result<std::string> segment_id_v1(io::ObjectStore& store, const std::string& key) {
  MARIGRAM_ASSIGN(const auto object, store.open(key));
  MARIGRAM_ASSIGN(const auto mapping, object->map());
  constexpr std::string_view kDomain{"segment-id-v1\0", 14};
  Blake3 hash;
  hash.update(kDomain).update(key).update(std::string_view{"\0", 1}).update(mapping->bytes());
  return "seg-" + hash.hex(32);
}

/// Fills in what summary and file say and writes the sidecar.
Result<StagedSegment> finish_segment(io::ObjectStore& store, const log::TableState& state, std::string key,
                                     std::uint64_t bytes, segment::RowSummary summary, const std::string& attempt,
                                     StagedFiles& files) {
  StagedSegment staged;
  staged.meta.path = std::move(key);
  staged.meta.row_count = summary.rows;
  staged.meta.file_size = bytes;
  staged.meta.min = *summary.min;
  staged.meta.max = *summary.max;
  staged.coverage = std::move(summary.coverage);
  const CoverageFile sidecar = make_segment_coverage(state, staged.coverage, attempt);
  if (state.dialect() == Dialect::kV7) {
    files.add(sidecar.path);  // v1 sidecars are shared by content: another segment may hold on to this one
    staged.meta.layout = std::move(summary.layout);
  } else {
    MARIGRAM_ASSIGN(staged.meta.id, segment_id_v1(store, staged.meta.path));
  }
  MARIGRAM_TRY(put_coverage_file(store, sidecar));
  staged.meta.coverage_path = sidecar.path;
  return staged;
}

}  // namespace

StagedFiles::~StagedFiles() {
  for (const std::string& key : keys_) (void)store_.remove(key);
}

void StagedFiles::add(std::string key) {
  const std::lock_guard lock(mutex_);
  keys_.push_back(std::move(key));
}

void StagedFiles::remove(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(keys_, key);
  }
  (void)store_.remove(key);
}

void StagedFiles::keep() {
  const std::lock_guard lock(mutex_);
  keys_.clear();
}

Result<StagedSegment> stage_rows(io::ObjectStore& store, const log::TableState& state, const model::Schema& schema,
                                 const OrderedRows& rows, SegmentRows part, segment::RowSummary summary,
                                 const std::string& attempt, StagedFiles& files) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  std::string key(state.dialect() == Dialect::kV7 ? kAppendFolder : kDataFolderV1);
  key += random_uuid() + ".parquet";
  MARIGRAM_ASSIGN(auto writer, segment::SegmentWriter::create(store, key, schema, index));
  const std::int64_t step = segment::WriterOptions{}.row_group_rows;
  for (std::int64_t done = 0; done < part.count; done += step) {  // a row group at a time: it stays in the cache
    MARIGRAM_ASSIGN(const auto batch, rows.rows(part.offset + done, std::min(step, part.count - done)));
    MARIGRAM_TRY(writer->write(*batch));
  }
  files.add(key);  // before it is there: the reply of finish may be lost
  MARIGRAM_ASSIGN(const std::uint64_t bytes, writer->finish());
  return finish_segment(store, state, std::move(key), bytes, std::move(summary), attempt, files);
}

Result<StagedSegment> stage_file(io::ObjectStore& store, const log::TableState& state, const std::string& key,
                                 segment::RowSummary summary, const std::string& attempt, StagedFiles& files) {
  MARIGRAM_ASSIGN(const io::ObjectInfo info, store.head(key));
  return finish_segment(store, state, key, info.size, std::move(summary), attempt, files);
}

}  // namespace marigram::table
