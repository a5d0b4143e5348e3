// Rows of one table on their way through the write path: checked against its columns, series numbered.
#pragma once

#include "head/block.h"
#include "head/head.h"
#include "head/series_dictionary.h"
#include "model/rows.h"
#include "table/bucket_guard.h"
#include "table/live_schema.h"
#include "table/record.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::table {

/// Columns that rows have and the table lacks.
struct MissingColumns {
  std::vector<std::string> tags = {};
  std::vector<ColumnInfo> fields = {};

  bool empty() const { return tags.empty() && fields.empty(); }
};

/// Whether the columns of rows fit a table, and what must be added to it before; makes nothing. kInvalidInput: a series
/// that lacks a tag, an integer tag that is none. kSchemaMismatch: a field of another type (integers go into fields of
/// floats if `widen`), a column that has another role in the table, or one that a table lacks which does not grow.
/// O(series × tags + fields).
Result<MissingColumns> check_fit(const LiveSchema& schema, const model::TableRows& rows, bool widen,
                                 const std::string& table);

/// The times of rows in the unit of a table; empty if they are in it already. kInvalidInput: a time that the unit
/// cannot hold exactly. O(rows) if they are in another unit.
Result<std::vector<std::int64_t>> convert_times(const LiveSchema& schema, const model::TableRows& rows,
                                                const std::string& table);

/// Borrows from the rows that it was made of. A copy would point into the one that it was made of.
class IncomingRows {
 public:
  IncomingRows(IncomingRows&&) = default;
  IncomingRows& operator=(IncomingRows&&) = default;
  IncomingRows(const IncomingRows&) = delete;
  IncomingRows& operator=(const IncomingRows&) = delete;

  /// Of rows that fit, with no columns missing, and what convert_times() made of their times. Adds new series to the
  /// dictionary. kResourceExhausted: too many series.
  static Result<IncomingRows> make(std::shared_ptr<const LiveSchema> schema, head::SeriesDictionary& dictionary,
                                   const model::TableRows& rows, std::vector<std::int64_t> converted_times);

  /// Rows of series that the table knows. The fields are numbered and of their types; their values are moved away.
  static IncomingRows make_numbered(std::shared_ptr<const LiveSchema> schema, std::vector<head::SeriesId> series,
                                    std::vector<std::int64_t> times, std::span<RecordField> fields);

  const std::shared_ptr<const LiveSchema>& schema() const { return schema_; }
  const head::Route& route() const { return *route_; }
  std::size_t size() const { return series_.size(); }
  head::ArrivingRows arriving() const { return {.series = series_, .times = times(), .fields = fields_}; }
  SectionRows section(std::uint64_t table) const {
    return {.table = table, .series = series_, .times = times(), .fields = fields_};
  }
  /// Which buckets they cover, where duplicates are rejected and that was noted; else none.
  const CoveredBuckets& buckets() const { return buckets_; }
  void note_buckets(CoveredBuckets buckets) { buckets_ = std::move(buckets); }
  /// The series of the rows, each at least once.
  std::span<const head::SeriesId> series() const { return distinct_.empty() ? series_ : distinct_; }

 private:
  IncomingRows() = default;

  std::span<const std::int64_t> times() const { return converted_times_.empty() ? times_ : converted_times_; }
  Status take_series(head::SeriesDictionary& dictionary, const model::TableRows& rows);
  void take_fields(const model::TableRows& rows);

  std::shared_ptr<const LiveSchema> schema_;
  std::vector<head::SeriesId> distinct_;  // the series of series_; empty: not known
  std::vector<head::SeriesId> series_;
  std::span<const std::int64_t> times_;
  std::vector<std::int64_t> converted_times_;      // of rows in another unit
  std::vector<const model::FieldColumn*> fields_;  // by number; null: the rows lack it
  std::vector<model::FieldColumn> converted_;  // widened, or not borrowed; does not grow once fields_ points into it
  std::optional<head::Route> route_;
  CoveredBuckets buckets_;
};

}  // namespace marigram::table
