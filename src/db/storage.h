// Where a database lives: in a folder of a file system, or in memory. Everything above is the same for both.
#pragma once

#include "base/clock.h"
#include "io/file_system.h"
#include "io/object_store.h"
#include "io/split_store.h"

#include <marigram/error.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::db {

/// A folder of a database: "tables/<namespace>/<table>" and the like. Thread-safe.
class Storage : public std::enable_shared_from_this<Storage> {
 public:
  virtual ~Storage() = default;
  /// For messages.
  virtual std::string name() const = 0;
  /// The objects below a folder, which need not exist; "" is the database's own.
  virtual std::shared_ptr<io::ObjectStore> store(const std::string& folder) = 0;
  /// The objects below a folder, some of which may lie elsewhere: those under `prefix`.
  std::shared_ptr<io::SplitStore> split_store(const std::string& folder, std::string_view prefix);
  /// The objects below an absolute path.
  virtual std::shared_ptr<io::ObjectStore> elsewhere(const std::string& path) = 0;
  /// Names of the folders in a folder, ascending; none if it does not exist.
  virtual Result<std::vector<std::string>> folders(const std::string& folder) const = 0;
  /// Gives a folder another name; both are in one. All that is in it comes along, at once and for good. kNotFound;
  /// kAlreadyExists: that name is taken.
  virtual Status move_folder(const std::string& from, const std::string& to) = 0;
  /// Deletes a folder and what is in it; it may be interrupted, and be taken up again. Nothing is there: no error.
  virtual Status remove_folder(const std::string& folder) = 0;
  /// What a write-ahead log can be kept in; null in memory.
  virtual io::FileSystem* files() const = 0;
  /// The absolute path of a folder; empty in memory.
  virtual std::filesystem::path path(const std::string& folder) const = 0;
};

/// `root` is absolute.
std::shared_ptr<Storage> make_file_storage(std::shared_ptr<io::FileSystem> files, std::filesystem::path root);
/// `clock` outlives it.
std::shared_ptr<Storage> make_memory_storage(const Clock& clock);

}  // namespace marigram::db
