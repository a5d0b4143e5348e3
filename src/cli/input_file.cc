#include "cli/input_file.h"

#include "base/try.h"
#include "cli/arrow_bridge.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/compression.h>

namespace marigram::cli {

namespace {

constexpr std::size_t kMagicBytes = 4;

std::unexpected<Error> system_failure(const std::string& name, int error_number) {
  const ErrorCode code = error_number == ENOENT || error_number == ENOTDIR ? ErrorCode::kNotFound
                         : error_number == EACCES || error_number == EPERM ? ErrorCode::kPermissionDenied
                                                                           : ErrorCode::kIo;
  return fail(code, fmt::format("cannot read {}: {}", name, std::generic_category().message(error_number)));
}

}  // namespace

// The bytes as stored, as Arrow's stream.
class InputFile::RawStream final : public arrow::io::InputStream {
 public:
  explicit RawStream(InputFile& file) : file_(file) {}

  arrow::Result<std::int64_t> Read(std::int64_t bytes, void* out) override {
    auto read = file_.read(static_cast<char*>(out), static_cast<std::uint64_t>(bytes));
    if (read) return static_cast<std::int64_t>(*read);
    if (read.error().code == ErrorCode::kCancelled) return arrow::Status::Cancelled(read.error().message);
    return arrow::Status::IOError(read.error().message);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const std::int64_t read, Read(bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<std::int64_t> Tell() const override { return static_cast<std::int64_t>(file_.position()); }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  InputFile& file_;
  bool closed_ = false;
};

InputFile::InputFile(int descriptor, std::string name, CancelToken cancel)
    : descriptor_(descriptor), name_(std::move(name)), cancel_(std::move(cancel)) {}

InputFile::~InputFile() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

Result<std::unique_ptr<InputFile>> InputFile::open(const std::string& path, const CancelToken& cancel) {
  const bool standard = path == "-";
  const int descriptor = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure(path, errno);
  std::unique_ptr<InputFile> file(new InputFile(descriptor, standard ? "standard input" : path, cancel));
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) return system_failure(file->name_, errno);
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot read {}: it is a folder; name a file", file->name_));
  }
  if (S_ISREG(status.st_mode)) file->size_ = static_cast<std::uint64_t>(status.st_size);
  std::array<char, kMagicBytes> magic = {};
  while (file->magic_.size() < kMagicBytes) {
    MARIGRAM_ASSIGN(const std::uint64_t read, file->read_descriptor(magic.data(), kMagicBytes - file->magic_.size()));
    if (read == 0) break;
    file->magic_.append(magic.data(), read);
  }
  return file;
}

Result<std::uint64_t> InputFile::read(char* out, std::uint64_t bytes) {
  if (magic_given_ == magic_.size()) return read_descriptor(out, bytes);
  const std::size_t given = std::min<std::size_t>(bytes, magic_.size() - magic_given_);
  std::copy_n(magic_.begin() + static_cast<std::ptrdiff_t>(magic_given_), given, out);
  magic_given_ += given;
  return given;
}

// Looks at the token while it waits for a pipe: the signal may have gone to another thread than this one.
Result<std::uint64_t> InputFile::read_descriptor(char* out, std::uint64_t bytes) {
  constexpr int kPollMilliseconds = 100;
  while (true) {
    if (cancel_.cancelled() || stopped_.load(std::memory_order_relaxed))
      return fail(ErrorCode::kCancelled, "interrupted");
    pollfd waiting = {.fd = descriptor_, .events = POLLIN, .revents = 0};
    const int ready = size_ ? 1 : ::poll(&waiting, 1, kPollMilliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ::ssize_t read = ::read(descriptor_, out, bytes);
    if (read >= 0) {
      position_.fetch_add(static_cast<std::uint64_t>(read), std::memory_order_relaxed);
      return static_cast<std::uint64_t>(read);
    }
    if (errno != EINTR && errno != EAGAIN) return system_failure(name_, errno);
  }
}

Result<std::shared_ptr<arrow::io::InputStream>> InputFile::stream() {
  auto raw = std::make_shared<RawStream>(*this);
  const bool gzip = magic_.starts_with("\x1f\x8b");
  const bool zstd = magic_ == "\x28\xb5\x2f\xfd";
  if (!gzip && !zstd) return raw;
  auto codec = arrow::util::Codec::Create(gzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD);
  if (!codec.ok()) return std::unexpected(from_arrow(codec.status(), fmt::format("cannot read {}", name_)));
  auto stream = arrow::io::CompressedInputStream::Make(codec->get(), raw);
  if (!stream.ok()) return std::unexpected(from_arrow(stream.status(), fmt::format("cannot read {}", name_)));
  // The stream borrows the codec.
  struct Decompressed {
    std::unique_ptr<arrow::util::Codec> codec;
    std::shared_ptr<arrow::io::InputStream> stream;
  };
  auto held = std::make_shared<Decompressed>(std::move(*codec), *stream);
  return std::shared_ptr<arrow::io::InputStream>(held, held->stream.get());
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> InputFile::random_access() {
  int descriptor = ::dup(descriptor_);
  if (!size_) {
    std::FILE* spool = std::tmpfile();
    if (spool == nullptr) return system_failure("a temporary file", errno);
    std::string buffer(1 << 20, '\0');
    while (true) {
      MARIGRAM_ASSIGN(const std::uint64_t bytes, read(buffer.data(), buffer.size()));
      if (bytes == 0) break;
      if (std::fwrite(buffer.data(), 1, bytes, spool) != bytes) {
        std::fclose(spool);
        return fail(ErrorCode::kResourceExhausted, fmt::format("cannot copy {} to a temporary file: {}", name_,
                                                               std::generic_category().message(errno)));
      }
    }
    std::fflush(spool);
    ::close(descriptor);
    descriptor = ::dup(::fileno(spool));
    std::fclose(spool);  // the duplicate keeps it
  }
  auto file = arrow::io::ReadableFile::Open(descriptor);
  if (!file.ok()) return std::unexpected(from_arrow(file.status(), fmt::format("cannot read {}", name_)));
  return *file;
}

}  // namespace marigram::cli
