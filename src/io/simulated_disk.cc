#include "io/simulated_disk.h"

#include <algorithm>
#include <utility>

namespace marigram::io {
namespace {

void apply_change(SimulatedNames& names, const NameChange& change) {
  if (change.removed) names.erase(*change.removed);
  if (change.added) names.insert_or_assign(change.added->first, change.added->second);
}

/// Copies a tree of survivors. A file with two names stays one file.
class Salvage {
 public:
  Salvage(Fortune& fortune, Instant now) : fortune_(fortune), now_(now) {}

  std::shared_ptr<SimulatedFolderData> folder(const SimulatedFolderData& lost) {
    auto found = std::make_shared<SimulatedFolderData>(numbers_, now_);
    SimulatedNames names;
    for (const auto& [name, node] : lost.survivor(fortune_)) {
      if (const auto* below = std::get_if<std::shared_ptr<SimulatedFolderData>>(&node)) {
        names.emplace(name, folder(**below));
      } else {
        names.emplace(name, file(std::get<std::shared_ptr<SimulatedFileData>>(node)));
      }
    }
    found->restore(std::move(names));
    return found;
  }

 private:
  std::shared_ptr<SimulatedFileData> file(const std::shared_ptr<SimulatedFileData>& lost) {
    std::shared_ptr<SimulatedFileData>& found = files_[lost.get()];
    if (!found) {
      found = std::make_shared<SimulatedFileData>(numbers_, now_);
      found->restore(lost->survivor(fortune_));
      found->inode().modified = lost->inode().modified;
    }
    return found;
  }

  Fortune& fortune_;
  Instant now_;
  std::shared_ptr<InodeNumbers> numbers_ = std::make_shared<InodeNumbers>();
  std::map<const SimulatedFileData*, std::shared_ptr<SimulatedFileData>> files_;
};

}  // namespace

Fortune::Fortune(std::uint64_t seed)
    : random_(seed), sector_odds_(static_cast<unsigned>(below(5))), name_odds_(static_cast<unsigned>(below(5))) {}

std::uint64_t InodeNumbers::take() {
  if (free_.empty()) return next_++;
  return free_.extract(free_.begin()).value();
}

void SimulatedFileData::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::uint64_t end = offset + bytes.size();
  allocate(end);
  seen_.replace(offset, bytes.size(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::uint64_t sector = offset / kSectorBytes; sector * kSectorBytes < end; ++sector) marked_.insert(sector);
}

void SimulatedFileData::allocate(std::uint64_t size) {
  if (size > seen_.size()) seen_.resize(size, '\0');
}

/// Copies the part of the sector that lies within `platter`.
void SimulatedFileData::bring_sector(std::string& platter, std::uint64_t sector) const {
  const std::uint64_t begin = sector * kSectorBytes;
  const std::uint64_t end = std::min<std::uint64_t>({begin + kSectorBytes, seen_.size(), platter.size()});
  if (begin < end) platter.replace(begin, end - begin, seen_, begin, end - begin);
}

void SimulatedFileData::sync() {
  platter_.resize(seen_.size(), '\0');
  for (const std::uint64_t sector : marked_) bring_sector(platter_, sector);
  marked_.clear();
}

void SimulatedFileData::fail_sync(Fortune& fortune) {
  platter_ = survivor(fortune);
  marked_.clear();
}

std::string SimulatedFileData::survivor(Fortune& fortune) const {
  if (marked_.empty() && seen_.size() == platter_.size()) return platter_;
  std::string found = platter_;
  if (seen_.size() > platter_.size()) {
    const std::uint64_t added = seen_.size() - platter_.size();
    const std::uint64_t outcome = fortune.below(3);  // all of it, nothing, or something in between
    const std::uint64_t size = platter_.size() + (outcome == 0 ? added : outcome == 1 ? 0 : fortune.below(added + 1));
    const char filling = fortune.below(2) == 0 ? '\0' : static_cast<char>(fortune.below(256));
    found.resize(size, filling);
  }
  for (const std::uint64_t sector : marked_) {
    if (fortune.sector_survives()) bring_sector(found, sector);
  }
  return found;
}

void SimulatedFolderData::change(NameChange change) {
  apply_change(seen_, change);
  recorded_.push_back(std::move(change));
}

void SimulatedFolderData::sync() {
  for (const NameChange& change : recorded_) apply_change(platter_, change);
  recorded_.clear();
}

void SimulatedFolderData::fail_sync(Fortune& fortune) {
  platter_ = survivor(fortune);
  recorded_.clear();
}

SimulatedNames SimulatedFolderData::survivor(Fortune& fortune) const {
  SimulatedNames found = platter_;
  for (const NameChange& change : recorded_) {
    if (fortune.name_survives()) apply_change(found, change);
  }
  return found;
}

std::shared_ptr<SimulatedFolderData> survivors_of(const SimulatedFolderData& root, Fortune& fortune, Instant now) {
  return Salvage(fortune, now).folder(root);
}

}  // namespace marigram::io
