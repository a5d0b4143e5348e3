#include "query/time_windows.h"

#include "table/scan_part.h"

#include <algorithm>
#include <utility>

namespace marigram::query {

TimeWindows::TimeWindows(const TableView& table)
    : snapshot_(table.snapshot), units_(table.units), bare_(*snapshot_.state) {
  bare_.segments.clear();
  clusters_ = table::cut_where_none_overlaps(snapshot_.engine.segments(snapshot_.state)->all());
  if (clusters_.empty()) clusters_.emplace_back();
  begins_.push_back(INT64_MIN);
  for (std::size_t i = 1; i < clusters_.size(); ++i) begins_.push_back(units_.from_value(clusters_[i].front()->min));
}

std::size_t TimeWindows::of(std::int64_t time) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(begins_, time) - begins_.begin()) - 1;
}

std::optional<std::int64_t> TimeWindows::end(std::size_t window) const {
  if (window + 1 == begins_.size()) return std::nullopt;
  return begins_[window + 1];
}

Result<table::ScanStream> TimeWindows::rows(std::size_t first, std::size_t last, ScanRequest request) const {
  const auto begin = first == 0 ? std::optional<IndexValue>() : units_.to_value(begins_[first]);
  const auto behind = end(last);
  if (begin && (!request.from || *request.from < *begin)) request.from = begin;
  if (behind && (!request.to || units_.to_value(*behind) < *request.to)) request.to = units_.to_value(*behind);
  table::Cluster segments;
  for (std::size_t window = first; window <= last; ++window) {
    segments.insert(segments.end(), clusters_[window].begin(), clusters_[window].end());
  }
  return scan(segments, std::move(request));
}

Result<table::ScanStream> TimeWindows::newer_rows(ScanRequest request) const {
  return scan({}, std::move(request));
}

Result<table::ScanStream> TimeWindows::scan(const table::Cluster& segments, ScanRequest request) const {
  request.order = ScanOrder::kSeries;
  return table::scan_part(snapshot_.engine, bare_, segments, request,
                          snapshot_.newer ? snapshot_.newer(request) : table::NewerRows());
}

}  // namespace marigram::query
