// The last row of each series, or the first: an as-of join with a probe for each series, at the end of time.
//
// Which series there are the table's coverage knows, and where their last rows lie; in native segments these are found,
// and their values taken, from statistics of blocks where these say them.
#pragma once

#include "query/asof.h"
#include "query/snapshot.h"

#include <marigram/error.h>
#include <marigram/latest.h>

namespace marigram::query {

/// By series, ascending: the tags, the time, and the fields asked for; series without such a row are left out.
/// O(series log(rows of a series)), and the rows of segments that overlap or are no native ones. kNotFound: a field
/// that the table lacks; kInvalidInput: a tag or the time among `columns`, and as asof_join().
Result<AsofResult> latest_rows(const Snapshot& snapshot, const LatestRequest& request);

}  // namespace marigram::query
