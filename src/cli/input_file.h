// An input of `import`: a file or standard input, plain or compressed, counted for the progress bar.
#pragma once

#include <marigram/error.h>
#include <marigram/scan.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace arrow::io {
class InputStream;
class RandomAccessFile;
}  // namespace arrow::io

namespace marigram::cli {

class InputFile {
 public:
  /// `-` is standard input. kNotFound, kPermissionDenied, kInvalidInput for a folder.
  static Result<std::unique_ptr<InputFile>> open(const std::string& path, const CancelToken& cancel);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// For messages.
  const std::string& name() const { return name_; }
  /// Bytes as stored; unset for a pipe.
  std::optional<std::uint64_t> size() const { return size_; }
  /// Bytes as stored that were read so far. Thread-safe.
  std::uint64_t position() const { return position_.load(std::memory_order_relaxed); }
  /// The first four bytes, or fewer if there are no more: they tell Parquet and gzip.
  std::string_view magic() const { return magic_; }

  /// The content, decompressed if it is gzip or zstd. Once; the file outlives the stream. The stream fails with
  /// Cancelled after the token was raised.
  Result<std::shared_ptr<arrow::io::InputStream>> stream();
  /// Makes reads of a stream fail from now on, also one that waits for a pipe: nobody wants the rest. Thread-safe.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  /// The content for random access; what cannot seek is copied to a nameless temporary file first. Once; the file
  /// outlives it.
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> random_access();

 private:
  class RawStream;
  InputFile(int descriptor, std::string name, CancelToken cancel);

  Result<std::uint64_t> read(char* out, std::uint64_t bytes);
  Result<std::uint64_t> read_descriptor(char* out, std::uint64_t bytes);

  int descriptor_;
  std::string name_;
  CancelToken cancel_;
  std::optional<std::uint64_t> size_;
  std::atomic<std::uint64_t> position_ = 0;
  std::atomic<bool> stopped_ = false;
  std::string magic_;
  std::size_t magic_given_ = 0;  // bytes of magic_ that read() has handed out
};

}  // namespace marigram::cli
