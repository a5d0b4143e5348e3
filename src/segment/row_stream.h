// Carries out a read plan.
#pragma once

#include "segment/read_plan.h"
#include "segment/reader.h"
#include "segment/segment_file.h"

#include <cstddef>
#include <memory>

namespace marigram::segment {

std::unique_ptr<RowStream> make_row_stream(std::shared_ptr<const SegmentFile> file,
                                           std::unique_ptr<const ReadPlan> plan, std::size_t batch_rows);

}  // namespace marigram::segment
