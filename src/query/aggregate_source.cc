#include "query/aggregate_source.h"

#include "base/try.h"

#include <marigram/error.h>

#include <arrow/record_batch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using Inputs = std::vector<std::unique_ptr<AggregateInput>>;

/// Gives out what an aggregation has complete, some rows at a time. How rows get into it is for those below.
class ResultSource : public table::BatchSource {
 public:
  Result<BatchPtr> next() final {
    auto batch = next_slice();
    if (!batch) {
      ended_ = true;
      result_ = nullptr;
    }
    return batch;
  }

 protected:
  ResultSource(Aggregation aggregation, std::size_t batch_rows)
      : aggregation_(std::move(aggregation)), batch_rows_(static_cast<std::int64_t>(batch_rows)) {}

  /// Feeds the aggregation some rows; false if there are no more: it is finished then.
  virtual Result<bool> feed() = 0;

  Aggregation& aggregation() { return aggregation_; }

 private:
  Result<BatchPtr> next_slice() {
    while (!result_ || offset_ == result_->num_rows()) {
      if (ended_) return nullptr;
      MARIGRAM_ASSIGN(const bool more, feed());
      ended_ = !more;
      if (more && static_cast<std::int64_t>(aggregation_.complete()) < batch_rows_) continue;
      MARIGRAM_ASSIGN(result_, aggregation_.take());
      offset_ = 0;
    }
    BatchPtr slice = result_->Slice(offset_, batch_rows_);
    offset_ += slice->num_rows();
    return slice;
  }

  Aggregation aggregation_;
  std::int64_t batch_rows_;
  bool ended_ = false;
  BatchPtr result_;  // of which the rows before offset_ have been given out
  std::int64_t offset_ = 0;
};

class StreamedSource final : public ResultSource {
 public:
  StreamedSource(std::unique_ptr<AggregateInput> rows, Aggregation aggregation, std::size_t batch_rows)
      : ResultSource(std::move(aggregation), batch_rows), rows_(std::move(rows)) {}

 private:
  Result<bool> feed() override {
    MARIGRAM_ASSIGN(const bool more, rows_->feed(aggregation()));
    if (!more) MARIGRAM_TRY(aggregation().finish());
    return more;
  }

  std::unique_ptr<AggregateInput> rows_;
};

/// An aggregation a part, all at once; merged in the order of the parts.
class MergedSource final : public ResultSource {
 public:
  MergedSource(Inputs parts, std::vector<Aggregation> partial, Aggregation whole, std::size_t batch_rows,
               ThreadPool& pool)
      : ResultSource(std::move(whole), batch_rows),
        parts_(std::move(parts)),
        partial_(std::move(partial)),
        pool_(pool) {}

 private:
  Result<bool> feed() override {
    std::vector<std::future<Status>> read;
    read.reserve(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      read.push_back(pool_.submit([this, i] { return read_all(*parts_[i], partial_[i]); }));
    }
    Status status;
    for (auto& part : read) {
      Status outcome = part.get();  // all of them: they work on what is ours
      if (status) status = std::move(outcome);
    }
    MARIGRAM_TRY(status);
    for (Aggregation& part : partial_) aggregation().merge(part);
    partial_.clear();
    MARIGRAM_TRY(aggregation().finish());
    return false;
  }

  static Status read_all(AggregateInput& rows, Aggregation& into) {
    while (true) {
      MARIGRAM_ASSIGN(const bool more, rows.feed(into));
      if (!more) return {};
    }
  }

  Inputs parts_;
  std::vector<Aggregation> partial_;  // one a part
  ThreadPool& pool_;
};

/// Results of parts, one behind the other; those of the next few are worked out meanwhile.
class PartsInTurn final : public table::BatchSource {
 public:
  using Parts = std::vector<std::unique_ptr<table::ReadAhead>>;

  PartsInTurn(Parts parts, std::size_t ahead) : parts_(std::move(parts)), ahead_(ahead) {}

  Result<BatchPtr> next() override {
    for (; next_ < parts_.size(); parts_[next_++] = nullptr) {
      const std::size_t end = std::min(next_ + 1 + ahead_, parts_.size());
      for (; started_ < end; ++started_) parts_[started_]->start();
      auto batch = parts_[next_]->next();
      if (!batch) next_ = parts_.size();  // an error is the end
      if (!batch || *batch) return batch;
    }
    return nullptr;
  }

 private:
  Parts parts_;
  std::size_t ahead_;
  std::size_t next_ = 0;
  std::size_t started_ = 0;
};

/// Each series is a group, so no two parts have one in common: nothing is merged, and nothing kept.
Result<table::ScanStream> aggregate_apart(Inputs parts, const arrow::Schema& schema, const AggregationSpec& spec,
                                          ThreadPool& pool, std::size_t threads) {
  constexpr std::size_t kBatchesAhead = 8;  // else the parts behind the one that is read wait for it
  table::ScanStream result;
  PartsInTurn::Parts results;
  results.reserve(parts.size());
  for (auto& part : parts) {
    MARIGRAM_ASSIGN(auto stream, aggregate(std::move(part), schema, spec));
    results.push_back(std::make_unique<table::ReadAhead>(std::move(stream.rows), pool, kBatchesAhead));
    result.schema = std::move(stream.schema);
  }
  result.rows = std::make_unique<PartsInTurn>(std::move(results), threads);
  return result;
}

}  // namespace

Result<table::ScanStream> aggregate(std::unique_ptr<AggregateInput> rows, const arrow::Schema& schema,
                                    const AggregationSpec& spec) {
  MARIGRAM_ASSIGN(auto aggregation, Aggregation::make(schema, spec, Aggregation::Emission::kEarly));
  auto result = aggregation.schema();
  return table::ScanStream{
      .schema = std::move(result),
      .rows = std::make_unique<StreamedSource>(std::move(rows), std::move(aggregation), spec.batch_rows)};
}

Result<table::ScanStream> aggregate(Inputs parts, const arrow::Schema& schema, const AggregationSpec& spec,
                                    ThreadPool& pool, std::size_t threads) {
  if (spec.by == spec.series) return aggregate_apart(std::move(parts), schema, spec, pool, threads);
  std::vector<Aggregation> partial;
  partial.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    MARIGRAM_ASSIGN(auto part, Aggregation::make(schema, spec, Aggregation::Emission::kAtEnd));
    partial.push_back(std::move(part));
  }
  MARIGRAM_ASSIGN(auto whole, Aggregation::make(schema, spec, Aggregation::Emission::kAtEnd));
  auto result = whole.schema();
  return table::ScanStream{.schema = std::move(result),
                           .rows = std::make_unique<MergedSource>(std::move(parts), std::move(partial),
                                                                  std::move(whole), spec.batch_rows, pool)};
}

}  // namespace marigram::query
