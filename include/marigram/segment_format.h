// What files a table keeps its rows in.
#pragma once

namespace marigram {

/// What files rows are kept in.
enum class SegmentFormat {
  kParquet,  ///< any program reads it
  kNative,   ///< v7: ours (docs/format/segment.md), smaller and quicker; other programs refuse such a table
  kZola,     ///< days of a zola folder (docs/format/zola.md), which are read, not written
};

}  // namespace marigram
