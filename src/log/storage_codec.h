// How segments are kept, as JSON (docs/format/log.md):
//   FORMAT = "parquet" | "native"
//   RANKS = {PATH:[rank,place]...}
//   TIERS = {["cold_after":str][,"cold_segments":FORMAT][,"cold_compression":str][,"cold_root":str]}
//   NAMES = {str:version...}
#pragma once

#include "log/json_in.h"
#include "model/table_meta.h"
#include "model/tiers.h"

#include <marigram/error.h>
#include <marigram/segment_format.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace marigram::log {

std::string_view format_name(SegmentFormat format);
nlohmann::ordered_json ranks_out(const std::map<std::string, model::SegmentRank>& ranks);
nlohmann::ordered_json tiers_out(const model::Tiers& tiers);

// kCorruption, naming the member.

Result<SegmentFormat> format_in(const json::Slot& slot);
/// Absent is none.
Result<std::map<std::string, model::SegmentRank>> ranks_in(const json::Slot& slot);
Result<model::Tiers> tiers_in(json::Element element);
Result<std::map<std::string, std::uint64_t>> version_names_in(json::Element element);

}  // namespace marigram::log
