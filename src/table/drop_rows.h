// Rows of a range and of some series taken out of a stream: what a deletion leaves.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "table/batch_source.h"
#include "table/merge.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace marigram::table {

/// Which rows: those of the half-open range (unset: unbounded) whose tags match all predicates.
struct RowChoice {
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> to = {};
  std::vector<TagPredicate> where = {};
};

/// The rows of `source` but those chosen, which are counted into `dropped`; it outlives the source. `keys` says where
/// the batches have the index column of `schema` and the tags. kInvalidInput: a bound of another domain than the index.
Result<std::unique_ptr<BatchSource>> drop_rows(std::unique_ptr<BatchSource> source, const model::Schema& schema,
                                               const model::IndexSpec& index, KeyColumns keys, RowChoice choice,
                                               std::uint64_t& dropped);

}  // namespace marigram::table
