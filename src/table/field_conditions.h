// Conditions on fields, row by row.
#pragma once

#include "model/index.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/remove.h>

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>
#include <vector>

namespace marigram::table {

/// kNotFound: a field that the table lacks, or that is a tag or the time; kInvalidInput: a value of another kind.
Status check_conditions(const model::Schema& schema, const model::IndexSpec& index,
                        const std::vector<FieldCondition>& conditions);

/// The fields that they are about, each once.
std::vector<std::string> fields_of(const std::vector<FieldCondition>& conditions);

/// For each row of the batch, which has the fields, 1 if it fulfils all. Checked before. O(rows · conditions).
std::vector<std::uint8_t> fulfilling_rows(const arrow::RecordBatch& batch,
                                          const std::vector<FieldCondition>& conditions);

}  // namespace marigram::table
