// What CSV and JSON lines have in common: text that Arrow's streaming readers turn into batches.
#pragma once

#include "base/try.h"
#include "cli/input_file.h"
#include "cli/row_source.h"
#include "cli/text_input.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

namespace marigram::cli {

class TextSource : public RowSource {
 public:
  TextSource(std::unique_ptr<InputFile> file, std::shared_ptr<TextInput> text)
      : file_(std::move(file)), text_(std::move(text)) {}
  ~TextSource() override { file_->stop(); }  // the reader's threads may wait for a pipe
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  /// From at most `sample_bytes` of the input's beginning. To be called once, before anything else.
  virtual Status learn_columns(std::size_t sample_bytes) = 0;

  const std::vector<FileColumn>& columns() const override { return columns_; }
  std::optional<std::size_t> sampled_bytes() const override { return sampled_bytes_; }
  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const auto read = reader_->ReadNext(&batch); !read.ok()) return std::unexpected(failure(read));
    return batch;
  }
  std::uint64_t bytes_done() const override { return file_->position(); }
  std::optional<std::uint64_t> bytes_total() const override { return file_->size(); }

 protected:
  /// Arrow's complaint, retold with file, line and column.
  virtual Error failure(const arrow::Status& status) const = 0;

  const InputFile& file() const { return *file_; }
  const std::shared_ptr<TextInput>& text() const { return text_; }

  /// `sampled_bytes`: unset if the schema was guessed from all of the input.
  void set_columns(const arrow::Schema& schema, std::optional<std::size_t> sampled_bytes) {
    sampled_bytes_ = sampled_bytes;
    for (const auto& field : schema.fields()) {
      const bool known = field->type()->id() != arrow::Type::NA;
      columns_.push_back({field->name(), known ? field->type() : nullptr});
    }
  }
  void set_reader(std::shared_ptr<arrow::RecordBatchReader> reader) { reader_ = std::move(reader); }

 private:
  std::unique_ptr<InputFile> file_;
  std::shared_ptr<TextInput> text_;
  std::vector<FileColumn> columns_;
  std::optional<std::size_t> sampled_bytes_;
  std::shared_ptr<arrow::RecordBatchReader> reader_;  // destroyed before text_ and file_, which its threads read
};

/// Opens a file as `Source`, a TextSource.
template <typename Source>
Result<std::unique_ptr<RowSource>> open_text(std::unique_ptr<InputFile> file, std::size_t sample_bytes) {
  MARIGRAM_ASSIGN(auto stream, file->stream());
  auto source =
      std::make_unique<Source>(std::move(file), std::make_shared<TextInput>(std::move(stream), recent_bytes_max()));
  MARIGRAM_TRY(source->learn_columns(sample_bytes));
  return source;
}

}  // namespace marigram::cli
