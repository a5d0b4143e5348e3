// Streams of record batches inside the engine: pulled, one consumer each.
#pragma once

#include "base/thread_pool.h"

#include <marigram/error.h>

#include <cstddef>
#include <deque>
#include <future>
#include <memory>
#include <vector>

namespace arrow {
class RecordBatch;
}

namespace marigram::table {

/// Not thread-safe, but may move from one thread to another between calls.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// The next batch, never empty; null at the end. After an error the source is at its end.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> next() = 0;
};

/// Batches that are there already; empty ones are left out.
std::unique_ptr<BatchSource> list_source(std::vector<std::shared_ptr<arrow::RecordBatch>> batches);

/// One source after the other.
std::unique_ptr<BatchSource> chain_sources(std::vector<std::unique_ptr<BatchSource>> sources);

/// Runs a source ahead of its consumer on the pool: up to `depth` batches wait in it. Starts with start().
class ReadAhead : public BatchSource {
 public:
  ReadAhead(std::unique_ptr<BatchSource> source, ThreadPool& pool, std::size_t depth);
  ~ReadAhead() override;

  /// Begins to read; next() does so too.
  void start();
  Result<std::shared_ptr<arrow::RecordBatch>> next() override;

 private:
  struct Shared;
  static void fill(const std::shared_ptr<Shared>& shared);

  ThreadPool& pool_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace marigram::table
