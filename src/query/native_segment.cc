#include "query/native_segment.h"

#include "base/try.h"
#include "segment/native_reader.h"
#include "table/environment.h"

#include <algorithm>
#include <ranges>
#include <utility>
#include <variant>

namespace marigram::query {

std::optional<NativeSegment> NativeSegment::make(std::shared_ptr<const segment::NativeFile> file,
                                                 const model::Schema& table, const model::IndexSpec& index,
                                                 const std::vector<std::string>& columns) {
  NativeSegment segment;
  const segment::NativeStructure& structure = file->structure();
  const std::size_t tags = structure.tags.size();
  const auto& stored = file->schema().columns;
  const auto is_as_in_table = [&](const model::Column& column) {
    const model::Column* const own = table.find(column.name);
    return own != nullptr && own->type == column.type && (own->nullable || !column.nullable);
  };
  std::size_t next = 0;
  for (std::size_t tag = 0; tag < index.tags.size(); ++tag) {
    if (next == tags || stored[next].name != index.tags[tag]) continue;
    if (!is_as_in_table(stored[next++])) return std::nullopt;
    segment.tags_.push_back(tag);
  }
  if (next < tags) return std::nullopt;  // in another order
  if (structure.block_columns().front().name != index.column || !is_as_in_table(stored[tags])) return std::nullopt;
  for (const std::string& name : columns) {
    if (std::ranges::find(index.tags, name) != index.tags.end()) return std::nullopt;
    const auto found = std::ranges::find(stored, name, &model::Column::name);
    const bool is_there = found != stored.end();
    if (is_there ? !is_as_in_table(*found) : !table.find(name)->nullable) return std::nullopt;
    const auto at = static_cast<std::size_t>(found - stored.begin());
    segment.blocks_[name] = is_there ? std::optional(at - tags) : std::nullopt;
  }
  segment.table_tags_ = index.tags.size();
  segment.flips_ = std::holds_alternative<model::UInt64Index>(index.kind);
  segment.file_ = std::move(file);
  segment.first_key_ = segment.key(0);
  segment.last_key_ = segment.key(structure.series() - 1);
  return segment;
}

SeriesKey NativeSegment::key(std::size_t series) const {
  SeriesKey key(table_tags_, TagValue(""));
  for (std::size_t i = 0; i < tags_.size(); ++i) key[tags_[i]] = file_->tag_value(i, series);
  return key;
}

std::size_t NativeSegment::lower_bound(const SeriesKey& series) const {
  const auto all = std::views::iota(std::size_t{0}, file_->structure().series());
  const auto found = std::ranges::partition_point(all, [&](std::size_t own) { return key(own) < series; });
  return static_cast<std::size_t>(found - all.begin());
}

std::optional<std::size_t> NativeSegment::find_series(const SeriesKey& series) const {
  if (tags_.size() == series.size()) return file_->find_series(series);
  SeriesKey own;
  for (std::size_t tag = 0; tag < series.size(); ++tag) {
    if (std::ranges::find(tags_, tag) != tags_.end()) {
      own.push_back(series[tag]);
    } else if (series[tag] != TagValue("")) {
      return std::nullopt;
    }
  }
  return file_->find_series(own);
}

NativeSegments::NativeSegments(const TimeWindows& windows, const TableView& table,
                               const std::vector<std::string>& columns)
    : windows_(windows), table_(table), columns_(columns), slots_(std::make_unique<Slot[]>(windows.size())) {}

std::int64_t NativeSegment::first_time() const {
  return static_cast<std::int64_t>(file_->page_times(0).first) ^ (flips_ ? INT64_MIN : 0);
}

std::int64_t NativeSegment::last_time() const {
  const std::size_t last = file_->structure().pages() - 1;
  return static_cast<std::int64_t>(file_->page_times(last).last) ^ (flips_ ? INT64_MIN : 0);
}

Result<std::span<const NativeSegment>> NativeSegments::at(std::size_t window) const {
  const table::Cluster& cluster = windows_.segments(window);
  const bool is_native = std::ranges::all_of(
      cluster, [](const table::SegmentPtr& segment) { return segment->format != SegmentFormat::kParquet; });
  if (cluster.empty() || !is_native) return std::span<const NativeSegment>();
  Slot& slot = slots_[window];
  std::call_once(slot.once, [&] { slot.status = open(cluster, slot); });
  if (!slot.status) return std::unexpected(slot.status.error());
  return slot.segments;
}

Status NativeSegments::open(const table::Cluster& cluster, Slot& slot) const {
  const table::Environment& environment = table_.snapshot.engine.environment();
  MARIGRAM_ASSIGN(const auto tombstones, table_.snapshot.engine.tombstones(*table_.snapshot.state));
  std::vector<NativeSegment> opened;
  for (const table::SegmentPtr& segment : cluster) {
    MARIGRAM_ASSIGN(const auto reader, environment.segments->open(*environment.store, *segment));
    const auto* const native = dynamic_cast<const segment::NativeReader*>(reader.get());
    auto made = native == nullptr || native->rows() == 0
                    ? std::nullopt
                    : NativeSegment::make(native->file(), table_.schema, table_.index, columns_);
    if (!made) return {};
    made->hide(tombstones->of(*segment));
    opened.push_back(*std::move(made));
  }
  const auto begin = [](const NativeSegment& segment) { return std::pair(segment.first_key(), segment.first_time()); };
  const auto end = [](const NativeSegment& segment) { return std::pair(segment.last_key(), segment.last_time()); };
  std::ranges::sort(opened, {}, begin);
  for (std::size_t i = 1; i < opened.size(); ++i) {
    if (begin(opened[i]) <= end(opened[i - 1])) return {};
  }
  slot.segments = std::move(opened);
  return {};
}

}  // namespace marigram::query
