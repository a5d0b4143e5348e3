// A file system in memory over a simulated disk, with faults at a chosen step: see fault_store.h for what that is for.
//
// Each call that changes something is one step: create, write, write_at, allocate, set_modified, sync and sync_content
// of a file, rename, link, link_file, unlink, make_folder, sync of a folder. Calls that are refused anyway (the name is
// taken, the file is missing) are none.
#pragma once

#include "io/fault_store.h"
#include "io/file_system.h"
#include "io/simulated_disk.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace marigram {
class Clock;
}

namespace marigram::io {

/// Thread-safe, and so is all that it opens. After a power cut every call fails with EIO.
class SimulatedFileSystem final : public FileSystem, public std::enable_shared_from_this<SimulatedFileSystem> {
 public:
  /// Longest piece that one write takes; more is a short write.
  static constexpr std::size_t kWriteMax = 16'384;

  /// A disk that is empty but for its root; `clock` is borrowed.
  static std::shared_ptr<SimulatedFileSystem> make(const Clock& clock);
  /// What is found when the power is back. Cuts the power if it is still on.
  std::shared_ptr<SimulatedFileSystem> restart();

  FileResult<std::unique_ptr<Tree>> open_tree(const std::filesystem::path& path) const override;

  std::uint64_t points() const;
  void arm(FaultStore::Mode mode, std::uint64_t point, std::uint64_t seed);
  void disarm();
  bool fired() const;
  void skip_file_sync(bool skip);
  void skip_folder_sync(bool skip);
  /// Whether rename_new is supported (it is, at first); if not it gives EINVAL.
  void support_rename_new(bool supported);
  /// Whether link_file is (it is, at first); if not it gives EPERM.
  void support_link_file(bool supported);
  void cut_power();

 private:
  friend class SimulatedFile;
  friend class SimulatedFolder;
  friend class SimulatedFolderLock;
  friend class SimulatedTree;

  struct Fault {
    FaultStore::Mode mode;
    std::uint64_t point;
  };
  /// What becomes of one step: it is done unless `error`; with `lights_out` it is done, and then the power goes.
  /// `dead`: nobody is there any more to take it.
  struct Fate {
    std::optional<Errno> error;
    bool lights_out = false;
    bool dead = false;
  };

  SimulatedFileSystem(const Clock& clock, std::shared_ptr<SimulatedFolderData> root, std::uint64_t seed);

  // All below with mutex_ held.
  Fate next_step();
  void lose_power();
  /// One step that `change` carries out, whole or not at all.
  template <typename Change>
  FileStatus step(Change change);
  /// One sync of a file or folder.
  template <typename Data>
  FileStatus sync_step(Data& data, bool skip);
  FileResult<SimulatedNode> find(const std::shared_ptr<SimulatedFolderData>& from, std::string_view path) const;

  const Clock& clock_;
  const std::shared_ptr<SimulatedFolderData> root_;
  mutable std::mutex mutex_;
  std::condition_variable unlocked_;  // a folder was unlocked, or the power went
  std::uint64_t points_ = 0;
  std::optional<Fault> fault_;
  bool fired_ = false;
  std::uint64_t seed_;
  Fortune fortune_;
  bool power_ = true;
  bool skip_file_sync_ = false;
  bool skip_folder_sync_ = false;
  bool rename_new_supported_ = true;
  bool link_file_supported_ = true;
};

}  // namespace marigram::io
