// A store that passes everything on and misbehaves where a test wants it to.
#pragma once

#include "io/object_store.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::log {

class StoreWrapper final : public io::ObjectStore {
 public:
  explicit StoreWrapper(std::shared_ptr<io::ObjectStore> inner) : inner_(std::move(inner)) {}

  int lose_replies = 0;          ///< so many puts are done and reported as failed
  bool dead_after_loss = false;  ///< then nothing answers any more
  bool refuse_puts = false;      ///< puts fail and do nothing
  std::function<void(std::string_view key)> on_read = {};
  std::function<Status(std::string_view key)> on_create = {};  ///< an error is that of create()

  std::string name() const override { return inner_->name(); }
  Result<io::ObjectInfo> head(std::string_view key) const override {
    if (dead_) return broken();
    return inner_->head(key);
  }
  Result<io::ObjectContent> read(std::string_view key) const override {
    if (dead_) return broken();
    if (on_read) on_read(key);
    return inner_->read(key);
  }
  Result<std::unique_ptr<io::ReadableObject>> open(std::string_view key) const override { return inner_->open(key); }
  Result<std::vector<io::ObjectInfo>> list(std::string_view prefix) const override { return inner_->list(prefix); }
  Result<io::ObjectInfo> put(std::string_view key, std::string_view bytes, const io::PutCondition& condition) override {
    if (dead_ || refuse_puts) return broken();
    auto done = inner_->put(key, bytes, condition);
    if (lose_replies == 0) return done;
    --lose_replies;
    dead_ = dead_after_loss;
    return broken();
  }
  Result<std::unique_ptr<io::WritableObject>> create(std::string_view key, const io::PutCondition& condition) override {
    const Status may = on_create ? on_create(key) : Status();
    if (!may) return std::unexpected(may.error());
    return inner_->create(key, condition);
  }
  Status remove(std::string_view key) override { return inner_->remove(key); }
  Result<bool> in_use(std::string_view key) const override { return inner_->in_use(key); }
  Result<std::vector<io::ObjectInfo>> sweep_unfinished(Instant cutoff, bool dry_run) override {
    return inner_->sweep_unfinished(cutoff, dry_run);
  }
  Status check_writable() const override { return inner_->check_writable(); }

 private:
  static std::unexpected<Error> broken() { return fail(ErrorCode::kIo, "the line is broken"); }

  std::shared_ptr<io::ObjectStore> inner_;
  bool dead_ = false;
};

}  // namespace marigram::log
