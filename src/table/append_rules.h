// What appends of rows and of files have in common: which rows a table takes.
#pragma once

#include "log/table_state.h"
#include "model/table_meta.h"
#include "segment/arrow_schema.h"
#include "segment/coverage_builder.h"
#include "table/alignment.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>

namespace marigram::table {

/// kInvalidInput: nothing to append.
std::unexpected<Error> no_rows(const std::string& what);

/// kInvalidInput: rows of several series for a v1 table.
std::unexpected<Error> several_series();

/// How many rows a series and bucket the table takes: v7 tables that reject duplicates one, others any number.
segment::CoverageBuilder::Duplicates duplicates_of(const log::TableState& state);

/// v1: the one series of all rows, which must be the table's; unset in v7 and without tags. kInvalidInput.
Result<std::optional<SeriesKey>> single_series(const log::TableState& state, const model::SegmentLayout& layout);

/// Whether an append into a table without a schema failed because another writer gave it one meanwhile. Once only: a
/// table keeps its schema.
bool lost_schema_race(const Result<AppendResult>& result, const Alignment& alignment);

/// Hands every batch to `sink` (Status(const arrow::RecordBatch&)) until one fails. `reading`: failures of the reader
/// are those of a file.
template <typename Sink>
Status for_each_batch(arrow::RecordBatchReader& rows, const std::string& doing, bool reading, Sink sink) {
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const auto status = rows.ReadNext(&batch); !status.ok()) {
      return std::unexpected(segment::from_arrow_status(status, doing, reading));
    }
    if (!batch) return {};
    if (const Status status = sink(*batch); !status) return status;
  }
}

}  // namespace marigram::table
