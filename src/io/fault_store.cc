#include "io/fault_store.h"

#include "io/file_store.h"
#include "io/link_object.h"
#include "io/simulated_file_system.h"

#include <utility>

namespace marigram::io {
namespace {

/// Two folders deep, so that making the root is part of what is tested.
constexpr const char* kRoot = "/volume/store";

class FaultStoreOverDisk final : public FaultStore, public LinkingStore {
 public:
  explicit FaultStoreOverDisk(std::shared_ptr<SimulatedFileSystem> disk)
      : disk_(std::move(disk)), store_(make_file_store(disk_, kRoot)) {}

  std::string name() const override { return store_->name(); }
  Result<ObjectInfo> head(std::string_view key) const override { return store_->head(key); }
  Result<ObjectContent> read(std::string_view key) const override { return store_->read(key); }
  Result<std::unique_ptr<ReadableObject>> open(std::string_view key) const override { return store_->open(key); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) const override { return store_->list(prefix); }
  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutCondition& condition) override {
    return store_->put(key, bytes, condition);
  }
  Result<std::unique_ptr<WritableObject>> create(std::string_view key, const PutCondition& condition) override {
    return store_->create(key, condition);
  }
  Status remove(std::string_view key) override { return store_->remove(key); }
  Result<bool> in_use(std::string_view key) const override { return store_->in_use(key); }
  Result<std::vector<ObjectInfo>> sweep_unfinished(Instant cutoff, bool dry_run) override {
    return store_->sweep_unfinished(cutoff, dry_run);
  }
  Status check_writable() const override { return store_->check_writable(); }
  Result<bool> link(std::string_view key, const ReadableObject& object) override {
    return link_object(*store_, key, object);
  }

  std::uint64_t points() const override { return disk_->points(); }
  void arm(Mode mode, std::uint64_t point, std::uint64_t seed) override { disk_->arm(mode, point, seed); }
  void disarm() override { disk_->disarm(); }
  bool fired() const override { return disk_->fired(); }
  void skip_file_sync(bool skip) override { disk_->skip_file_sync(skip); }
  void skip_folder_sync(bool skip) override { disk_->skip_folder_sync(skip); }
  std::shared_ptr<FaultStore> restart() override { return std::make_shared<FaultStoreOverDisk>(disk_->restart()); }
  std::shared_ptr<FaultStore> reopen() override {
    disk_->disarm();
    return std::make_shared<FaultStoreOverDisk>(disk_);
  }

 private:
  const std::shared_ptr<SimulatedFileSystem> disk_;
  const std::shared_ptr<ObjectStore> store_;
};

}  // namespace

std::shared_ptr<FaultStore> make_fault_store(const Clock& clock) {
  return std::make_shared<FaultStoreOverDisk>(SimulatedFileSystem::make(clock));
}

}  // namespace marigram::io
