// Table metadata and index values as JSON (docs/format/log.md).
//   v7 META = {"kind":KIND,"logical_schema":SCHEMA|null,"created_at":RFC3339,"protocol_version":7,
//              "required_reader_features":[str...],"required_writer_features":[str...]}
//   v1 META = {"kind":KIND,"logical_schema":SCHEMA|null,"created_at":RFC3339,"format_version":1
//              [,"entity_identity":{column:value}]}
//   KIND    = "Generic" | {"TimeSeries":SPEC}
//   v7 SPEC = {"column":str,"entity_columns":[str...],"kind":INDEX}
//   v1 SPEC = {"timestamp_column":str,"entity_columns":[str...],"bucket":BUCKET[,"timezone":str]}
//   INDEX   = {"type":"timestamp","index_granularity":BUCKET[,"timezone":str]}
//           | {"type":"int64"|"uint64","index_granularity":u64 >= 1}
//   BUCKET  = {"Seconds"|"Minutes"|"Hours"|"Days":u32 >= 1}
//   VALUE   = {"type":"timestamp","value":RFC3339} | {"type":"int64"|"u_int64","value":integer}
#pragma once

#include "base/bucket_width.h"
#include "log/json_in.h"
#include "model/index.h"
#include "model/table_meta.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

nlohmann::ordered_json bucket_out(BucketWidth width);
nlohmann::ordered_json kind_out(const model::IndexKind& kind);
nlohmann::ordered_json value_out(const IndexValue& value);
nlohmann::ordered_json meta_out(const model::TableMeta& meta);

/// Errors: kCorruption, naming the member.
Result<BucketWidth> bucket_in(const json::Slot& slot);
Result<model::IndexKind> kind_in(const json::Slot& slot);
Result<IndexValue> value_in(const json::Slot& slot);
/// A path out of a file: never followed unless canonical.
Result<std::string> path_in(const json::Slot& slot);
/// Of either dialect. Also kInvalidInput, as check_protocol.
Result<model::TableMeta> meta_in(json::Element element);

/// Whether this library can read a table with that metadata, judged before anything else of the commit is looked at: a
/// newer protocol may change all the rest. kInvalidInput names what is not supported.
Status check_protocol(json::Element meta);
/// Features that a writer must know and this library does not, in order.
std::vector<std::string> unknown_writer_features(const model::TableMeta& meta);

}  // namespace marigram::log
