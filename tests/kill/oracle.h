// What was acknowledged, kept outside of the database in a file of lines that writers append to: it outlives them.
//
//   ack 2 17     writer 2 was told that its batch 17 is inserted
//   kept 2 18    batch 18 was under way when the process was killed, and was found whole afterwards
//   gone 2 18    the same, and nothing of it was found: its number is not used again
#pragma once

#include "workload.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace marigram::kill {

/// What a writer knows of its batches.
struct WriterRecord {
  std::vector<std::uint64_t> there;  ///< numbers of those that must be in the database, ascending
  std::uint64_t next = 0;            ///< the first that was never heard of: at most this one may be there too
};
using Records = std::array<WriterRecord, kWriters>;

/// Complete lines only: a process may be killed in the middle of one.
Records read_oracle(const std::string& path);

/// Thread-safe: a line is one write to the end of the file.
class Oracle {
 public:
  explicit Oracle(const std::string& path);
  ~Oracle();
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  void ack(std::uint32_t writer, std::uint64_t number) const { append("ack", writer, number); }
  void kept(std::uint32_t writer, std::uint64_t number) const { append("kept", writer, number); }
  void gone(std::uint32_t writer, std::uint64_t number) const { append("gone", writer, number); }

 private:
  void append(const char* what, std::uint32_t writer, std::uint64_t number) const;

  int file_;
};

}  // namespace marigram::kill
