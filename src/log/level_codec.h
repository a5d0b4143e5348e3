// Rollups as JSON (docs/format/log.md):
//   ROLLUPS = {"intervals":[str...][,"timezone":str][,"origin":RFC3339][,"sketches":[str...]]}
//   LEVEL   = {"interval":str[,"actions":[ACTION...]][,"rank":u64][,"tombstones":[...]][,"dissolved":[str...]]
//              [,"through":u64[,"pending":str]]}
#pragma once

#include "log/action.h"
#include "log/json_in.h"
#include "model/rollup.h"

#include <marigram/error.h>

#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

nlohmann::ordered_json rollups_out(const model::RollupSpec& spec);
nlohmann::ordered_json levels_out(const std::vector<LevelChange>& levels);

/// kCorruption, naming the member; also intervals that do not nest.
Result<model::RollupSpec> rollups_in(json::Element element);
/// Absent is none. kCorruption, naming the member.
Result<std::vector<LevelChange>> levels_in(const json::Slot& slot);

}  // namespace marigram::log
