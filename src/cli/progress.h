// The progress line on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace marigram::cli {

/// Draws at most ten times a second, and only on a terminal without NO_COLOR. Not thread-safe.
class Progress {
 public:
  /// `bytes_total` makes it a bar with a percentage.
  Progress(std::string label, std::optional<std::uint64_t> bytes_total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t rows, std::uint64_t bytes_done);
  /// Says what happens after the last row was read.
  void phase(const std::string& text);
  /// Takes the line away.
  void clear();

  /// The text of the line, `width` columns at most.
  static std::string render(const std::string& label, std::uint64_t rows, double seconds, std::uint64_t bytes_done,
                            std::optional<std::uint64_t> bytes_total, std::size_t width, bool unicode);

 private:
  void draw(const std::string& line);

  std::string label_;
  std::optional<std::uint64_t> bytes_total_;
  bool enabled_ = false;
  bool unicode_ = false;
  bool drawn_ = false;
  std::size_t width_ = 80;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace marigram::cli
