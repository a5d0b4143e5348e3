// Retention as JSON (docs/format/log.md):
//   RETENTION = [{["where":[{"tag":str,"values":[str...]}...]][,"keep":{NAME:str}][,"horizons":{NAME:RFC3339}]}...]
#pragma once

#include "log/json_in.h"
#include "model/retention.h"

#include <marigram/error.h>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

nlohmann::ordered_json retention_out(const model::Retention& retention);

/// kCorruption, naming the member.
Result<model::Retention> retention_in(const json::Slot& slot);

}  // namespace marigram::log
