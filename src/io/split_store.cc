#include "io/split_store.h"

#include "base/try.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace marigram::io {

SplitStore::SplitStore(std::shared_ptr<ObjectStore> first, std::string prefix, Open open)
    : first_(std::move(first)), prefix_(std::move(prefix)), open_(std::move(open)) {}

void SplitStore::set_second(const std::string& root) {
  const std::lock_guard lock(mutex_);
  if (root == root_) return;
  root_ = root;
  second_ = root.empty() ? nullptr : open_(root);
}

Status SplitStore::check_free(const std::string& root) const {
  if (root.empty()) return {};
  const auto store = open_(root);
  MARIGRAM_ASSIGN(const auto objects, store->list(""));
  if (objects.empty()) return store->check_writable();
  return fail(ErrorCode::kAlreadyExists, "cannot use " + root + ": it holds " + objects.front().key +
                                             "; want an empty folder, of one table alone");
}

std::shared_ptr<ObjectStore> SplitStore::second() const {
  const std::lock_guard lock(mutex_);
  return second_;
}

std::shared_ptr<ObjectStore> SplitStore::second_of(std::string_view key) const {
  return key.starts_with(prefix_) ? second() : nullptr;
}

template <typename Ask>
auto SplitStore::find(std::string_view key, const Ask& ask) const {
  auto found = ask(*first_);
  if (found || found.error().code != ErrorCode::kNotFound) return found;
  const auto second = second_of(key);
  return second ? ask(*second) : std::move(found);
}

Result<ObjectInfo> SplitStore::head(std::string_view key) const {
  return find(key, [&](const ObjectStore& store) { return store.head(key); });
}

Result<ObjectContent> SplitStore::read(std::string_view key) const {
  return find(key, [&](const ObjectStore& store) { return store.read(key); });
}

Result<std::unique_ptr<ReadableObject>> SplitStore::open(std::string_view key) const {
  return find(key, [&](const ObjectStore& store) { return store.open(key); });
}

Result<bool> SplitStore::in_use(std::string_view key) const {
  return find(key, [&](const ObjectStore& store) { return store.in_use(key); });
}

Status SplitStore::remove(std::string_view key) {
  return find(key, [&](ObjectStore& store) { return store.remove(key); });
}

/// What is in both is listed as the first has it.
Result<std::vector<ObjectInfo>> SplitStore::list(std::string_view prefix) const {
  MARIGRAM_ASSIGN(std::vector<ObjectInfo> objects, first_->list(prefix));
  const auto second = this->second();
  const std::string_view folder = std::string_view(prefix_).substr(0, prefix_.size() - 1);
  if (!second || !(prefix.empty() || prefix == folder || prefix.starts_with(prefix_))) return objects;
  MARIGRAM_ASSIGN(auto others, second->list(prefix.empty() ? folder : prefix));
  std::ranges::move(others, std::back_inserter(objects));
  std::ranges::stable_sort(objects, {}, &ObjectInfo::key);
  const auto twice = std::ranges::unique(objects, {}, &ObjectInfo::key);
  objects.erase(twice.begin(), twice.end());
  return objects;
}

Result<ObjectInfo> SplitStore::put(std::string_view key, std::string_view bytes, const PutCondition& condition) {
  const auto second = second_of(key);
  return (second ? *second : *first_).put(key, bytes, condition);
}

Result<std::unique_ptr<WritableObject>> SplitStore::create(std::string_view key, const PutCondition& condition) {
  const auto second = second_of(key);
  return (second ? *second : *first_).create(key, condition);
}

Result<std::vector<ObjectInfo>> SplitStore::sweep_unfinished(Instant cutoff, bool dry_run) {
  MARIGRAM_ASSIGN(std::vector<ObjectInfo> leftovers, first_->sweep_unfinished(cutoff, dry_run));
  if (const auto second = this->second()) {
    MARIGRAM_ASSIGN(auto others, second->sweep_unfinished(cutoff, dry_run));
    std::ranges::move(others, std::back_inserter(leftovers));
  }
  return leftovers;
}

}  // namespace marigram::io
