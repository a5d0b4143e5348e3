// The text that was read last, so that a value found to be bad later can be shown with its line.
//
// Arrow's CSV and JSON readers decode blocks in parallel and name no lines. What they complain about lies in the blocks
// they hold, so it is enough to keep a few: the search then costs a pass over those, and only after an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class Buffer;
}

namespace marigram::cli {

/// Thread-safe.
class RecentText {
 public:
  /// Keeps at least the last `bytes_max` bytes.
  explicit RecentText(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void add(std::shared_ptr<arrow::Buffer> text);
  /// No more will come: the last line counts also without a line break.
  void end();
  /// Forgets all; the next text is the first again.
  void clear();

  struct Row {
    std::uint64_t line = 0;  ///< where it begins; the first line is 1
    std::string text;        ///< what `found` returned
  };

  /// The first CSV row (RFC 4180) whose cells `found` likes. `found` returns the text to report.
  using CsvTest = std::function<std::optional<std::string>(const std::vector<std::string>& cells)>;
  std::optional<Row> find_csv(const CsvTest& found) const;

  /// The first line that `found` likes.
  using LineTest = std::function<std::optional<std::string>(std::string_view line)>;
  std::optional<Row> find_line(const LineTest& found) const;

 private:
  struct Kept {
    std::string text;
    std::uint64_t line = 1;
    bool in_quotes = false;
    bool whole = true;  // nothing was dropped before it
    bool ended = false;
  };
  Kept kept() const;
  void drop_oldest();

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<arrow::Buffer>> blocks_;  // guarded by mutex_
  std::size_t bytes_ = 0;                              // in blocks_; guarded by mutex_
  std::uint64_t lines_dropped_ = 0;                    // guarded by mutex_
  bool in_quotes_ = false;                             // where blocks_ begins, in CSV; guarded by mutex_
  bool dropped_ = false;                               // guarded by mutex_
  bool ended_ = false;                                 // guarded by mutex_
};

}  // namespace marigram::cli
