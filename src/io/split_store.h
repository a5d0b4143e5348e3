// A store of which some objects may lie in a second one, on another disk perhaps.
#pragma once

#include "io/object_store.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace marigram::io {

/// What is put under a prefix goes to the second store once there is one; what is there is found in either, the first
/// one before. Thread-safe.
class SplitStore final : public ObjectStore {
 public:
  using Open = std::function<std::shared_ptr<ObjectStore>(const std::string& root)>;

  /// `prefix` ends with '/'. `open`: the store at a root, which need not be reachable.
  SplitStore(std::shared_ptr<ObjectStore> first, std::string prefix, Open open);

  /// Where the second store is; empty: there is none.
  void set_second(const std::string& root);
  /// Whether a root can become the second store: nothing is there. kAlreadyExists.
  Status check_free(const std::string& root) const;

  std::string name() const override { return first_->name(); }
  Result<ObjectInfo> head(std::string_view key) const override;
  Result<ObjectContent> read(std::string_view key) const override;
  Result<std::unique_ptr<ReadableObject>> open(std::string_view key) const override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) const override;
  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutCondition& condition) override;
  Result<std::unique_ptr<WritableObject>> create(std::string_view key, const PutCondition& condition) override;
  Status remove(std::string_view key) override;
  Result<bool> in_use(std::string_view key) const override;
  Result<std::vector<ObjectInfo>> sweep_unfinished(Instant cutoff, bool dry_run) override;
  Status check_writable() const override { return first_->check_writable(); }

 private:
  /// Null: the key is of the first one alone.
  std::shared_ptr<ObjectStore> second_of(std::string_view key) const;
  std::shared_ptr<ObjectStore> second() const;
  /// In the first store, or in the second if it is not there.
  template <typename Ask>
  auto find(std::string_view key, const Ask& ask) const;

  const std::shared_ptr<ObjectStore> first_;
  const std::string prefix_;
  const Open open_;
  mutable std::mutex mutex_;
  std::string root_;                     // guarded by mutex_
  std::shared_ptr<ObjectStore> second_;  // guarded by mutex_
};

}  // namespace marigram::io
