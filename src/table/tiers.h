// Tiers: segments of old rows are written anew for the cold tier, in the table's folder or elsewhere.
#pragma once

#include "model/tiers.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/tier.h>

#include <cstdint>
#include <vector>

namespace marigram::table {

/// See Table::set_tiers. Returns the new version.
Result<std::uint64_t> set_tiers(Engine& engine, const TierOptions& options);
/// Makes it part of a commit on `state`.
Status choose_tiers(const Environment& environment, const log::TableState& state, const TierOptions& options,
                    log::Proposal& proposal);
TierOptions tier_options(const log::TableState& state);
/// See Table::tier_usage. O(segments).
std::vector<TierUsage> tier_usage(const log::TableState& state);

/// See Table::move_cold. Each segment for itself, standing where it stood, some 256 MiB a commit; again from the start
/// when another writer takes one away meanwhile.
Result<TierReport> move_cold(Engine& engine, bool dry_run, const CancelToken& cancel);
/// Whether there is anything to move now. O(segments).
bool has_cold_rows_to_move(const Engine& engine);

}  // namespace marigram::table
