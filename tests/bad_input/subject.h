// The table that bad input is tried on, in either dialect, and what must hold of it afterwards.
#pragma once

#include "program.h"
#include "rows.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace marigram::bad_input {

/// The files and links below a folder: path to kind, mode and content (of a file) or target (of a link).
using Image = std::map<std::string, std::string>;
Image image_of(const std::filesystem::path& folder);
/// Names what differs, so that a failure needs no bytes on the screen.
::testing::AssertionResult same_image(const Image& before, const Image& after);

std::string bytes_of(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, const std::string& bytes);
/// Replaces the first `from` in a file, which must be there.
void edit(const std::filesystem::path& file, const std::string& from, const std::string& to);

/// The exit status documented for an error.
int exit_status(ErrorCode code);

Result<AppendResult> append_rows(Table& table, const arrow::Table& rows);
/// Rows that a scan brings, counted one by one.
Result<std::uint64_t> count_rows(const Table& table, const ScanRequest& request = {});

using Words = std::vector<std::string>;

class BadInput : public ::testing::TestWithParam<Dialect> {
 protected:
  // Hours 0 to 11 of station A, in two commits.
  static constexpr std::int64_t kHours = 12;

  BadInput();
  ~BadInput() override;

  Dialect dialect() const { return GetParam(); }
  bool v1() const { return dialect() == Dialect::kV1; }
  std::filesystem::path table() const { return folder_ / "table"; }
  std::filesystem::path input(const std::string& name) const { return folder_ / "input" / name; }
  /// A copy of the table to be damaged.
  std::filesystem::path copy(const std::string& name);
  /// A table like it with other rows.
  std::filesystem::path make_table(const std::string& name, std::int64_t first_hour) const;
  std::filesystem::path commit(const std::filesystem::path& table, int version) const;

  /// The library and the command line refuse to append the file, with this code, naming it and `words`, and do not
  /// touch the table. v1 also refuses it where it lies in the table's own folder, and leaves it there.
  void expect_refused(const std::string& name, ErrorCode code, const Words& words);
  /// Neither library nor program can use the damaged table; each names `words`, and leaves it as it is.
  void expect_unusable(const std::filesystem::path& damaged, ErrorCode code, const Words& words);
  /// A run that must fail with the code's exit status, naming `words`, and leave the folder as it is.
  void expect_run(const std::vector<std::string>& arguments, ErrorCode code, const Words& words,
                  const std::filesystem::path& untouched, const std::function<bool()>& prepare = {});
  /// The table is sound, holds its rows, and a copy of it takes another append.
  void expect_usable(const std::filesystem::path& table, std::uint64_t rows = kHours);

  std::filesystem::path folder_;

 private:
  /// `marigram import` may convert what append refuses; what it refuses leaves no trace.
  void try_import(const std::filesystem::path& file);
  void refuse_inside(const std::filesystem::path& file, ErrorCode code, const Words& words);
};

void expect_words(const std::string& message, const Words& words);

}  // namespace marigram::bad_input
