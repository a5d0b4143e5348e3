#include "cli/text_input.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

namespace marigram::cli {

namespace {

// The length of the longest prefix of whole rows.
std::size_t whole_rows(std::string_view text, SampleCut cut) {
  if (cut == SampleCut::kLine) return text.rfind('\n') + 1;  // npos + 1 is 0
  std::size_t end = 0;
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_quotes = !in_quotes;
    if (text[i] == '\n' && !in_quotes) end = i + 1;
  }
  return end;
}

}  // namespace

TextInput::TextInput(std::shared_ptr<arrow::io::InputStream> source, std::size_t recent_bytes)
    : source_(std::move(source)), recent_(recent_bytes) {
  set_mode(arrow::io::FileMode::READ);
}

arrow::Result<TextInput::Sample> TextInput::sample(std::size_t bytes_max, SampleCut cut) {
  const auto wanted = static_cast<std::int64_t>(bytes_max);
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(wanted));
  std::int64_t filled = 0;
  while (filled < wanted) {
    ARROW_ASSIGN_OR_RAISE(const std::int64_t read, source_->Read(wanted - filled, buffer->mutable_data() + filled));
    if (read == 0) break;
    filled += read;
  }
  ARROW_RETURN_NOT_OK(buffer->Resize(filled));
  sampled_ = std::move(buffer);
  const std::string_view text(reinterpret_cast<const char*>(sampled_->data()), static_cast<std::size_t>(filled));
  const bool whole = filled < wanted;
  const std::size_t length = whole ? text.size() : whole_rows(text, cut);
  // One row longer than the sample: Arrow is shown the part, and says what it thinks of it.
  const auto shown = static_cast<std::int64_t>(length == 0 ? text.size() : length);
  Sample sample{.text = arrow::SliceBuffer(sampled_, 0, shown), .whole = whole};
  recent_.add(sample.text);
  if (whole) recent_.end();
  return sample;
}

arrow::Result<std::int64_t> TextInput::Read(std::int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const auto buffer, Read(bytes));
  std::memcpy(out, buffer->data(), static_cast<std::size_t>(buffer->size()));
  return buffer->size();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> TextInput::Read(std::int64_t bytes) {
  std::shared_ptr<arrow::Buffer> buffer;
  if (position_ == 0) recent_.clear();
  if (sampled_ && sampled_given_ < sampled_->size()) {
    buffer = arrow::SliceBuffer(sampled_, sampled_given_, std::min(bytes, sampled_->size() - sampled_given_));
    sampled_given_ += buffer->size();
  } else {
    sampled_.reset();
    ARROW_ASSIGN_OR_RAISE(buffer, source_->Read(bytes));
  }
  position_ += buffer->size();
  if (buffer->size() == 0) {
    recent_.end();
  } else {
    recent_.add(buffer);
  }
  return buffer;
}

arrow::Status TextInput::Close() {
  return source_->Close();
}

}  // namespace marigram::cli
