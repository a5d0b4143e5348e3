// Time cut into windows that one group of segments each has to itself.
#pragma once

#include "query/table_view.h"
#include "table/scan.h"
#include "table/segment_list.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::query {

/// Window i holds the rows from begin(i) up to, not including, begin(i + 1). There is at least one; the first has no
/// begin, the last no end.
class TimeWindows {
 public:
  explicit TimeWindows(const TableView& table);

  std::size_t size() const { return begins_.size(); }
  std::size_t of(std::int64_t time) const;
  /// INT64_MIN of the first.
  std::int64_t begin(std::size_t window) const { return begins_[window]; }
  /// Unset of the last.
  std::optional<std::int64_t> end(std::size_t window) const;

  const table::Cluster& segments(std::size_t window) const { return clusters_[window]; }
  /// The rows of windows `first` to `last` by (series, time), within the request's bounds too.
  Result<table::ScanStream> rows(std::size_t first, std::size_t last, ScanRequest request) const;
  /// The rows of all windows that no segment has, likewise.
  Result<table::ScanStream> newer_rows(ScanRequest request) const;

 private:
  Result<table::ScanStream> scan(const table::Cluster& segments, ScanRequest request) const;

  Snapshot snapshot_;
  IndexUnits units_;
  log::TableState bare_;  // the state without segments
  std::vector<table::Cluster> clusters_;
  std::vector<std::int64_t> begins_;
};

}  // namespace marigram::query
