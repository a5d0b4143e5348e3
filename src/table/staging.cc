#include "table/staging.h"

#include "base/hash.h"
#include "base/try.h"
#include "segment/native_writer.h"
#include "segment/parquet_writer.h"
#include "segment/writer.h"
#include "table/coverage_files.h"
#include "table/engine.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

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

/// What summary and file say of a segment.
Result<model::SegmentMeta> describe_segment(io::ObjectStore& store, const log::TableState& state, std::string key,
                                            SegmentFormat format, std::uint64_t bytes,
                                            const segment::RowSummary& summary) {
  model::SegmentMeta meta;
  meta.path = std::move(key);
  meta.format = format;
  meta.row_count = summary.rows;
  meta.file_size = bytes;
  meta.min = *summary.min;
  meta.max = *summary.max;
  if (state.dialect() == Dialect::kV7) {
    meta.layout = summary.layout;
  } else {
    MARIGRAM_ASSIGN(meta.id, segment_id_v1(store, meta.path));
  }
  return meta;
}

using Writer = std::unique_ptr<segment::SegmentWriter>;

Result<Writer> open_writer(io::ObjectStore& store, const std::string& key, const log::TableState& state,
                           const model::Schema& schema, const coverage::CoverageMap& covered, bool cold) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  if (format_of(state, cold) == SegmentFormat::kParquet) {
    return segment::ParquetWriter::create(store, key, schema, index);
  }
  const std::string& chosen = cold ? state.tiers.cold_compression : state.compression;
  MARIGRAM_ASSIGN(const segment::Compression compression, segment::parse_compression(chosen, "cannot write " + key));
  const std::string presence = coverage::encode(state.dialect(), index, covered);
  return segment::NativeWriter::create(store, key, schema, index, codec::Buffer(presence.begin(), presence.end()),
                                       compression);
}

}  // namespace

SegmentFormat format_of(const log::TableState& state, bool cold) {
  return cold ? state.tiers.cold_segments : state.segment_format;
}

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

void StagedFiles::keep_after(const Status& committed) {
  if (committed || std::holds_alternative<UnknownOutcome>(committed.error().detail)) keep();
}

void StagedFiles::keep() {
  const std::lock_guard lock(mutex_);
  keys_.clear();
}

Result<model::SegmentMeta> stage_rows(io::ObjectStore& store, const log::TableState& state, const model::Schema& schema,
                                      const OrderedRows& rows, SegmentRows part, const segment::RowSummary& summary,
                                      bool cold, StagedFiles& files) {
  const SegmentFormat format = format_of(state, cold);
  const std::string_view folder = state.dialect() == Dialect::kV7 ? kAppendFolder : kDataFolderV1;
  std::string key(cold ? model::kColdFolder : folder);
  key += random_uuid() + (format == SegmentFormat::kNative ? ".mgs" : ".parquet");
  MARIGRAM_ASSIGN(const Writer writer, open_writer(store, key, state, schema, summary.coverage, cold));
  const std::int64_t step = segment::ParquetWriterOptions{}.row_group_rows;
  for (std::int64_t done = 0; done < part.count; done += step) {  // a row group at a time: it stays in the cache
    MARIGRAM_ASSIGN(const auto batch, rows.rows(part.offset + done, std::min(step, part.count - done)));
    MARIGRAM_TRY(writer->write(*batch));
  }
  files.add(key);  // before it is there: the reply of finish may be lost
  MARIGRAM_ASSIGN(const std::uint64_t bytes, writer->finish());
  return describe_segment(store, state, std::move(key), format, bytes, summary);
}

Result<model::SegmentMeta> stage_file(io::ObjectStore& store, const log::TableState& state, const std::string& key,
                                      const segment::RowSummary& summary) {
  MARIGRAM_ASSIGN(const io::ObjectInfo info, store.head(key));
  return describe_segment(store, state, key, SegmentFormat::kParquet, info.size, summary);
}

Result<std::string> stage_coverage(io::ObjectStore& store, const log::TableState& state,
                                   const coverage::CoverageMap& covered, const std::string& attempt,
                                   StagedFiles& files) {
  CoverageFile sidecar = make_segment_coverage(state, covered, attempt);
  // v1 sidecars are shared by content: another segment may hold on to this one.
  if (state.dialect() == Dialect::kV7) files.add(sidecar.path);
  MARIGRAM_TRY(put_coverage_file(store, sidecar));
  return std::move(sidecar.path);
}

Result<log::UpdateTableCoverage> stage_table_coverage(io::ObjectStore& store, const log::TableState& now,
                                                      const coverage::CoverageMap& covered, const std::string& attempt,
                                                      StagedFiles& files) {
  const CoverageFile file = make_table_coverage(now, covered, now.version + 1, attempt);
  if (now.dialect() == Dialect::kV7) files.add(file.path);  // of v1 another commit may have named it
  MARIGRAM_TRY(put_coverage_file(store, file));
  return log::UpdateTableCoverage{now.meta->index->kind, file.path};
}

}  // namespace marigram::table
