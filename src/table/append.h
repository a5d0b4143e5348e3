// Append: rows in, one commit out, all or nothing.
#pragma once

#include "io/object_store.h"
#include "log/action.h"
#include "table/alignment.h"
#include "table/batch_source.h"
#include "table/engine.h"
#include "table/staging.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <optional>
#include <string>

namespace arrow {
class RecordBatchReader;
}

namespace marigram::table {

/// What else the commit of an append says.
struct AppendExtras {
  std::optional<log::WalMark> wal = {};  // what the rows bring the table's segments up to
};

/// Rows in any order; some four million are held, checked and sorted at a time. kInvalidInput if there is no row. In a
/// table that keeps the last of equal rows, those of the append that later ones of the same four million replace are
/// not written, nor counted; the others are replaced when they are read (docs/format/log.md, `duplicates`).
Result<AppendResult> append(Engine& engine, arrow::RecordBatchReader& rows, const AppendExtras& extras = {});

/// A commit that says nothing but how far the write-ahead log is in segments: there was no row of this table in it.
/// Returns the version.
Result<std::uint64_t> commit_wal_mark(Engine& engine, const log::WalMark& mark);

/// What segments are to be written: with how many rows at most and at least (fewer are worth waiting for more, or
/// merging), and whether of the cold tier.
struct NewSegments {
  std::int64_t most = 1 << 18;
  std::int64_t good = 1 << 17;
  bool cold = false;
};

/// All of an append but its commit: rows put in order, cut at partitions as `wanted`, and written with their
/// sidecars. `rows` come aligned by `alignment`, in any order; without any nothing is staged. `taken`: the buckets that
/// they must leave alone in a table that rejects duplicates. `attempt` is a UUID.
Result<Staged> stage_append(Engine& engine, const StatePtr& state, const Alignment& alignment, CoveragePtr taken,
                            BatchSource& rows, NewSegments wanted, const std::string& attempt, StagedFiles& files);

/// The rows of a Parquet file in any store, as append() takes them. Reads the file twice: it is checked whole
/// (readable, fitting, not covered yet) before the first byte is written.
Result<AppendResult> append_parquet(Engine& engine, io::ObjectStore& source, const std::string& key);

/// v1: a Parquet file that lies in the table's folder becomes a segment where it is.
Result<AppendResult> adopt_parquet(Engine& engine, const std::string& key);

}  // namespace marigram::table
