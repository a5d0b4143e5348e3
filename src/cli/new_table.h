// A table made for an import, which goes away again unless the import succeeds.
#pragma once

#include <marigram/error.h>
#include <marigram/table.h>

#include <string>

namespace marigram::cli {

/// While it lives, and keep() was not called, its end takes the table away, provided nobody has written to it since.
class NewTable {
 public:
  static Result<NewTable> create(const std::string& path, const TableOptions& options);
  ~NewTable();
  NewTable(NewTable&&) noexcept;
  NewTable& operator=(NewTable&&) = delete;

  const Table& table() const { return table_; }
  void keep() { path_.clear(); }

 private:
  NewTable(std::string path, bool folder_existed, Table table);

  std::string path_;  // empty: keep
  bool folder_existed_;
  Table table_;
};

}  // namespace marigram::cli
