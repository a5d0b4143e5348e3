#include "table/batch_source.h"

#include <arrow/record_batch.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace marigram::table {
namespace {

class ChainSource : public BatchSource {
 public:
  explicit ChainSource(std::vector<std::unique_ptr<BatchSource>> sources) : sources_(std::move(sources)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    for (; current_ < sources_.size(); sources_[current_++].reset()) {
      auto batch = sources_[current_]->next();
      if (!batch) current_ = sources_.size();
      if (!batch || *batch) return batch;
    }
    return nullptr;
  }

 private:
  std::vector<std::unique_ptr<BatchSource>> sources_;
  std::size_t current_ = 0;
};

class ListSource : public BatchSource {
 public:
  explicit ListSource(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) : batches_(std::move(batches)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    return next_ < batches_.size() ? std::move(batches_[next_++]) : nullptr;
  }

 private:
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<BatchSource> list_source(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  std::erase_if(batches, [](const auto& batch) { return batch->num_rows() == 0; });
  return std::make_unique<ListSource>(std::move(batches));
}

std::unique_ptr<BatchSource> chain_sources(std::vector<std::unique_ptr<BatchSource>> sources) {
  return std::make_unique<ChainSource>(std::move(sources));
}

/// Filled by at most one task at a time; the task ends when the buffer is full and is started again when it drains, so
/// that no worker ever waits for a consumer.
struct ReadAhead::Shared {
  std::unique_ptr<BatchSource> source;  // touched by the running task only
  std::size_t depth = 1;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready;  // guarded by mutex, as is all below
  std::optional<Error> error;
  bool running = false;
  bool ended = false;
  bool abandoned = false;
};

ReadAhead::ReadAhead(std::unique_ptr<BatchSource> source, ThreadPool& pool, std::size_t depth)
    : pool_(pool), shared_(std::make_shared<Shared>()) {
  shared_->source = std::move(source);
  shared_->depth = depth;
}

ReadAhead::~ReadAhead() {
  std::unique_lock lock(shared_->mutex);
  shared_->abandoned = true;
  shared_->changed.wait(lock, [this] { return !shared_->running; });
}

void ReadAhead::start() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->running || shared_->ended || shared_->ready.size() >= shared_->depth) return;
    shared_->running = true;
  }
  pool_.submit([shared = shared_] { fill(shared); });
}

void ReadAhead::fill(const std::shared_ptr<Shared>& shared) {
  while (true) {
    {
      const std::lock_guard lock(shared->mutex);
      if (shared->abandoned || shared->ended || shared->ready.size() >= shared->depth) {
        shared->running = false;
        shared->changed.notify_all();
        return;
      }
    }
    Result<std::shared_ptr<arrow::RecordBatch>> batch = shared->source->next();
    const std::lock_guard lock(shared->mutex);
    if (!batch) {
      shared->error = std::move(batch).error();
      shared->ended = true;
    } else if (*batch == nullptr) {
      shared->ended = true;
    } else {
      shared->ready.push_back(std::move(*batch));
    }
    shared->changed.notify_all();
  }
}

Result<std::shared_ptr<arrow::RecordBatch>> ReadAhead::next() {
  start();
  std::shared_ptr<arrow::RecordBatch> batch;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return !shared_->ready.empty() || shared_->ended || !shared_->running; });
    if (shared_->ready.empty()) {
      if (shared_->error) return std::unexpected(*std::exchange(shared_->error, std::nullopt));
      return nullptr;
    }
    batch = std::move(shared_->ready.front());
    shared_->ready.pop_front();
  }
  start();
  return batch;
}

}  // namespace marigram::table
