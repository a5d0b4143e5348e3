// Where a command's data goes: standard output, or a file that appears whole or not at all.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace marigram::io {
class WritableObject;
}

namespace marigram::cli {

/// Buffered; not thread-safe. Without finish() the last of it is not written.
class Output {
 public:
  /// File descriptor 1.
  static Output standard();
  /// A regular file is written beside its place, synced, and takes it at finish(); anything else that is there (a pipe,
  /// a device) is written directly. kNotFound if the folder does not exist.
  static Result<Output> file(const std::string& path);
  ~Output();
  Output(Output&&) noexcept;
  Output& operator=(Output&&) noexcept;

  Status write(std::string_view bytes);
  /// Hands on what is buffered.
  Status flush();
  /// Writes what is buffered, and publishes a file. To be called once.
  Status finish();
  /// The reader of a pipe went away (`| head`): nobody wants more, which is no failure.
  bool reader_gone() const { return reader_gone_; }
  /// Bytes handed to write() so far.
  std::uint64_t position() const { return position_; }

 private:
  Output(int descriptor, bool owned, std::string name);

  Status flush_descriptor();

  int descriptor_ = -1;  // -1: object_
  bool owned_ = false;   // descriptor_ is closed by the destructor
  std::unique_ptr<io::WritableObject> object_;
  std::string name_;  // for messages
  std::string buffer_;
  std::uint64_t position_ = 0;
  bool reader_gone_ = false;
};

}  // namespace marigram::cli
