// Logical schemas as JSON, as table metadata holds them:
//   SCHEMA = {"columns":[FIELD...][,"metadata":{str:str}]}                     v7: "metadata" when not empty
//   FIELD  = {"name":str,"data_type":TYPE,"nullable":bool[,"metadata":{str:str}]}
//   TYPE   = "Bool"|"Int32"|"Int64"|"UInt64" (v7)|"Float32"|"Float64"|"Binary"|"Utf8"|"Int96"
//          | {"FixedBinary":{"byte_width":i32}} | {"Timestamp":{"unit":"Millis"|"Micros"|"Nanos","timezone":str|null}}
//          | {"Decimal":{"precision":i32,"scale":i32}} | {"Struct":{"fields":[FIELD...]}} | {"List":{"elements":FIELD}}
//          | {"Map":{"key":FIELD,"value":FIELD|null,"keys_sorted":bool
//                    [,"entries_metadata":{str:str}][,"null_value_metadata":{str:str}]}} | {"Other":str}
#pragma once

#include "log/json_in.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

nlohmann::ordered_json schema_out(const model::Schema& schema);
/// kCorruption names the column. Members that v1 does not know (metadata) are ignored there.
Result<model::Schema> schema_in(Dialect dialect, json::Element element);

}  // namespace marigram::log
