// The state of a disk that can lose power: what the machine sees of each file and folder, and what the platter holds.
//
// Model, on purpose no kinder than real file systems are allowed to be:
// - A write changes what is seen, and marks the 512-byte sectors it touches. sync() brings the marked sectors and the
//   size to the platter. At a power cut any subset of the marked sectors, and any size between the old and the new,
//   may have got there by itself; space that was added but not written holds zeros or garbage.
// - A change of names (create, rename, link, unlink, make folder) changes what is seen, and is recorded in its folder.
//   sync() of the folder brings the recorded changes to the platter. At a power cut any subset of them has got there,
//   each whole, the later possibly without the earlier, and with or without the content of the file.
// - A failed sync brings a subset there, forgets the rest, and the next sync that succeeds does not bring it back
//   (https://lwn.net/Articles/752063).
// - Inode numbers are reused at once, and times are as coarse as the clock that is handed in.
#pragma once

#include "io/file_system.h"

#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace marigram::io {

/// Decides what survives. The odds are drawn once, so that all and nothing are common outcomes too.
class Fortune {
 public:
  explicit Fortune(std::uint64_t seed);
  bool sector_survives() { return draw(sector_odds_); }
  bool name_survives() { return draw(name_odds_); }
  /// One of 0 .. bound - 1. `bound` > 0.
  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
  }

 private:
  bool draw(unsigned quarters) { return below(4) < quarters; }

  std::mt19937_64 random_;
  unsigned sector_odds_;  // in quarters
  unsigned name_odds_;
};

/// Hands out the smallest number that is free.
class InodeNumbers {
 public:
  std::uint64_t take();
  void give_back(std::uint64_t number) { free_.insert(number); }

 private:
  std::set<std::uint64_t> free_;
  std::uint64_t next_ = 2;
};

/// What files and folders share: an inode number while they live, and times.
struct SimulatedInode {
  SimulatedInode(std::shared_ptr<InodeNumbers> from, Instant now)
      : numbers(std::move(from)), number(numbers->take()), modified(now), changed(now) {}
  ~SimulatedInode() { numbers->give_back(number); }
  SimulatedInode(const SimulatedInode&) = delete;
  SimulatedInode& operator=(const SimulatedInode&) = delete;

  std::shared_ptr<InodeNumbers> numbers;
  std::uint64_t number;
  Instant modified;
  Instant changed;
};

/// Not thread-safe.
class SimulatedFileData {
 public:
  static constexpr std::uint64_t kSectorBytes = 512;

  SimulatedFileData(std::shared_ptr<InodeNumbers> numbers, Instant now) : inode_(std::move(numbers), now) {}

  SimulatedInode& inode() { return inode_; }
  const std::string& seen() const { return seen_; }
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Space up to `size`, if there is less: added, but not written.
  void allocate(std::uint64_t size);
  void sync();
  void fail_sync(Fortune& fortune);
  /// What the platter holds after a power cut now.
  std::string survivor(Fortune& fortune) const;
  /// Both seen and on the platter: for what survived.
  void restore(std::string content) { seen_ = platter_ = std::move(content); }

 private:
  void bring_sector(std::string& platter, std::uint64_t sector) const;

  SimulatedInode inode_;
  std::string seen_;
  std::string platter_;
  std::set<std::uint64_t> marked_;  // sectors written since the last sync
};

class SimulatedFolderData;
using SimulatedNode = std::variant<std::shared_ptr<SimulatedFileData>, std::shared_ptr<SimulatedFolderData>>;
using SimulatedNames = std::map<std::string, SimulatedNode>;

/// One atomic change of a folder's names: `removed` goes, then `added` comes (or is replaced).
struct NameChange {
  std::optional<std::string> removed;
  std::optional<std::pair<std::string, SimulatedNode>> added;
};

/// Not thread-safe.
class SimulatedFolderData {
 public:
  SimulatedFolderData(std::shared_ptr<InodeNumbers> numbers, Instant now) : inode_(std::move(numbers), now) {}

  SimulatedInode& inode() { return inode_; }
  const SimulatedNames& seen() const { return seen_; }
  void change(NameChange change);
  void sync();
  void fail_sync(Fortune& fortune);
  SimulatedNames survivor(Fortune& fortune) const;
  /// Both seen and on the platter: for what survived.
  void restore(SimulatedNames names) { seen_ = platter_ = std::move(names); }

  bool locked = false;

 private:
  SimulatedInode inode_;
  SimulatedNames seen_;
  SimulatedNames platter_;
  std::vector<NameChange> recorded_;  // since the last sync, oldest first
};

/// What is found after a power cut: a new folder with all that survived in and below `root`. `root` stays as it is.
std::shared_ptr<SimulatedFolderData> survivors_of(const SimulatedFolderData& root, Fortune& fortune, Instant now);

}  // namespace marigram::io
