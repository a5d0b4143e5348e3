#include "io/memory_store.h"

#include "base/clock.h"
#include "base/try.h"
#include "io/object_key.h"
#include "io/storage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace marigram::io {
namespace {

constexpr const char* kName = "memory";

/// Immutable once it is in the store.
using Object = std::shared_ptr<const ObjectContent>;

class SharedMapping final : public Mapping {
 public:
  explicit SharedMapping(Object object) : object_(std::move(object)) {}
  std::span<const std::byte> bytes() const override { return std::as_bytes(std::span(object_->bytes)); }
  bool is_whole() const override { return true; }

 private:
  Object object_;
};

class ReadableMemory final : public ReadableObject {
 public:
  explicit ReadableMemory(Object object) : object_(std::move(object)) {}

  std::uint64_t size() const override { return object_->bytes.size(); }

  Status read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size() || out.size() > size() - offset) {
      return std::unexpected(storage_error(
          ErrorCode::kCorruption, {"read", object_->info.key, kName},
          fmt::format("it ends too early; got {} bytes, want {} from byte {}", size(), out.size(), offset)));
    }
    std::ranges::copy(std::as_bytes(std::span(object_->bytes).subspan(offset, out.size())), out.begin());
    return {};
  }

  Result<std::unique_ptr<Mapping>> map() const override { return std::make_unique<SharedMapping>(object_); }

 private:
  Object object_;
};

/// The state that the store and the objects being written share. Thread-safe.
class Objects {
 public:
  explicit Objects(const Clock& clock) : clock_(clock) {}

  Result<Object> find(std::string_view key, std::string_view doing) const {
    MARIGRAM_TRY(check_key(key, kName));
    const std::scoped_lock lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) {
      return std::unexpected(storage_error(ErrorCode::kNotFound, {doing, key, kName}, "there is no such object"));
    }
    return found->second;
  }

  std::vector<ObjectInfo> list(std::string_view prefix) const {
    const std::scoped_lock lock(mutex_);
    std::vector<ObjectInfo> infos;
    for (auto it = objects_.lower_bound(prefix); it != objects_.end() && it->first.starts_with(prefix); ++it) {
      if (is_under(it->first, prefix)) infos.push_back(it->second->info);
    }
    return infos;
  }

  Result<ObjectInfo> put(std::string_view key, std::string bytes, const PutCondition& condition) {
    const std::scoped_lock lock(mutex_);
    MARIGRAM_TRY(check_place(key));
    MARIGRAM_TRY(check_condition(key, condition));
    auto object = std::make_shared<ObjectContent>();
    object->info = {
        .key = std::string(key), .size = bytes.size(), .modified = clock_.now(), .version = fmt::to_string(++puts_)};
    object->bytes = std::move(bytes);
    objects_.insert_or_assign(object->info.key, object);
    return object->info;
  }

  Status remove(std::string_view key) {
    MARIGRAM_TRY(find(key, "remove"));
    const std::scoped_lock lock(mutex_);
    if (const auto found = objects_.find(key); found != objects_.end()) {
      objects_.erase(found);
      return {};
    }
    return std::unexpected(storage_error(ErrorCode::kNotFound, {"remove", key, kName}, "there is no such object"));
  }

 private:
  /// No object may lie below another, as in a file system.
  Status check_place(std::string_view key) const {
    const Attempt attempt{"write", key, kName};
    const std::string below = std::string(key) + "/";
    const auto next = objects_.lower_bound(below);
    if (next != objects_.end() && next->first.starts_with(below)) {
      return std::unexpected(storage_error(ErrorCode::kInvalidInput, attempt,
                                           "it is a folder of other objects; want a key that has none below it"));
    }
    for (std::string_view folder = folder_of(key); !folder.empty(); folder = folder_of(folder)) {
      if (objects_.contains(folder)) {
        return std::unexpected(
            storage_error(ErrorCode::kInvalidInput, attempt,
                          "a part of the key is an object; want a key that is not below another object"));
      }
    }
    return {};
  }

  Status check_condition(std::string_view key, const PutCondition& condition) const {
    const Attempt attempt{"write", key, kName};
    const auto found = objects_.find(key);
    const bool exists = found != objects_.end();
    if (condition.kind == PutCondition::Kind::kIfAbsent && exists) {
      return std::unexpected(storage_error(ErrorCode::kAlreadyExists, attempt, "an object of that key exists"));
    }
    if (condition.kind == PutCondition::Kind::kIfMatch &&
        (!exists || found->second->info.version != condition.version)) {
      return std::unexpected(
          storage_error(ErrorCode::kConflict, attempt,
                        fmt::format("another version is there; got {}, want {}",
                                    exists ? found->second->info.version : "none", condition.version)));
    }
    return {};
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;  // guarded by mutex_
  std::uint64_t puts_ = 0;                              // guarded by mutex_
};

class WritableMemory final : public WritableObject {
 public:
  WritableMemory(std::shared_ptr<Objects> objects, std::string key, PutCondition condition)
      : objects_(std::move(objects)), key_(std::move(key)), condition_(std::move(condition)) {}

  Status write(std::span<const std::byte> bytes) override {
    if (finished_) return already_finished();
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  Status finish() override {
    if (finished_) return already_finished();
    finished_ = true;
    MARIGRAM_TRY(objects_->put(key_, std::move(bytes_), condition_));
    return {};
  }

 private:
  static Status already_finished() { return fail(ErrorCode::kInternal, "cannot write an object: it is finished"); }

  std::shared_ptr<Objects> objects_;
  std::string key_;
  PutCondition condition_;
  std::string bytes_;
  bool finished_ = false;
};

class MemoryStore final : public ObjectStore {
 public:
  explicit MemoryStore(const Clock& clock) : objects_(std::make_shared<Objects>(clock)) {}

  std::string name() const override { return kName; }

  Result<ObjectInfo> head(std::string_view key) const override {
    MARIGRAM_ASSIGN(const Object object, objects_->find(key, "look at"));
    return object->info;
  }

  Result<ObjectContent> read(std::string_view key) const override {
    MARIGRAM_ASSIGN(const Object object, objects_->find(key, "read"));
    return *object;
  }

  Result<std::unique_ptr<ReadableObject>> open(std::string_view key) const override {
    MARIGRAM_ASSIGN(Object object, objects_->find(key, "read"));
    return std::make_unique<ReadableMemory>(std::move(object));
  }

  Result<std::vector<ObjectInfo>> list(std::string_view prefix) const override {
    MARIGRAM_TRY(check_prefix(prefix, kName));
    return objects_->list(prefix);
  }

  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutCondition& condition) override {
    MARIGRAM_TRY(check_key(key, kName));
    return objects_->put(key, std::string(bytes), condition);
  }

  Result<std::unique_ptr<WritableObject>> create(std::string_view key, const PutCondition& condition) override {
    MARIGRAM_TRY(check_key(key, kName));
    if (condition.kind == PutCondition::Kind::kIfMatch) {
      return std::unexpected(storage_error(ErrorCode::kInvalidInput, {"write", key, kName},
                                           "objects written in pieces take no if_match; use put"));
    }
    return std::make_unique<WritableMemory>(objects_, std::string(key), condition);
  }

  Status remove(std::string_view key) override { return objects_->remove(key); }

  Result<bool> in_use(std::string_view key) const override {
    MARIGRAM_TRY(objects_->find(key, "look at"));
    return false;
  }

  Result<std::vector<ObjectInfo>> sweep_unfinished(Instant, bool) override { return std::vector<ObjectInfo>(); }

  Status check_writable() const override { return {}; }

 private:
  const std::shared_ptr<Objects> objects_;
};

}  // namespace

std::shared_ptr<ObjectStore> make_memory_store(const Clock& clock) {
  return std::make_shared<MemoryStore>(clock);
}

}  // namespace marigram::io
