// Tombstones as JSON (docs/format/log.md):
//   TOMBSTONE = {"touched":str[,"emptied":str][,"points":str],"rank":u64[,"from":VALUE][,"to":VALUE]
//                [,"where":[PREDICATE...]][,"except":[[PREDICATE...]...]]}
//   PREDICATE = {"tag":str,"values":[str...]}
#pragma once

#include "log/json_in.h"
#include "model/tombstone.h"

#include <marigram/error.h>

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

nlohmann::ordered_json predicates_out(const std::vector<TagPredicate>& predicates);
nlohmann::ordered_json tombstones_out(const std::vector<model::Tombstone>& tombstones);

// Absent is none. kCorruption, naming the member.

Result<std::vector<TagPredicate>> predicates_in(const json::Slot& slot);
Result<std::vector<model::Tombstone>> tombstones_in(const json::Slot& slot);

}  // namespace marigram::log
