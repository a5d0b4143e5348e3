#include "cli/output.h"

#include "base/try.h"
#include "io/local_store.h"
#include "io/object_store.h"

#include <marigram/error.h>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace marigram::cli {

namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kIo;
  }
}

std::unexpected<Error> system_failure(const std::string& name, int error_number) {
  return fail(code_of(error_number),
              fmt::format("cannot write {}: {}", name, std::generic_category().message(error_number)));
}

}  // namespace

Output::Output(int descriptor, bool owned, std::string name)
    : descriptor_(descriptor), owned_(owned), name_(std::move(name)) {}

Output Output::standard() {
  return {STDOUT_FILENO, false, "standard output"};
}

Result<Output> Output::file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);  // follows links, also /dev/stdout to a pipe
  if (std::filesystem::is_directory(status)) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot write {}: it is a folder; name a file", path));
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return system_failure(path, errno);
    return Output(descriptor, true, path);
  }
  const std::filesystem::path target = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
  if (error) return system_failure(path, error.value());
  if (!std::filesystem::is_directory(target.parent_path(), error)) {
    return fail(ErrorCode::kNotFound,
                fmt::format("cannot write {}: folder {} does not exist", path, target.parent_path().string()));
  }
  MARIGRAM_ASSIGN(auto store, io::make_local_store(target.parent_path()));
  Output output(-1, false, path);
  MARIGRAM_ASSIGN(output.object_, store->create(target.filename().string()));
  return output;
}

Output::~Output() {
  if (owned_ && descriptor_ >= 0) ::close(descriptor_);
}

Output::Output(Output&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      owned_(std::exchange(other.owned_, false)),
      object_(std::move(other.object_)),
      name_(std::move(other.name_)),
      buffer_(std::move(other.buffer_)),
      position_(other.position_),
      reader_gone_(other.reader_gone_) {}

Output& Output::operator=(Output&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(owned_, other.owned_);
  std::swap(object_, other.object_);
  std::swap(name_, other.name_);
  std::swap(buffer_, other.buffer_);
  std::swap(position_, other.position_);
  std::swap(reader_gone_, other.reader_gone_);
  return *this;
}

Status Output::write(std::string_view bytes) {
  position_ += bytes.size();
  buffer_.append(bytes);
  if (buffer_.size() < kBufferBytes) return {};
  return flush();
}

Status Output::finish() {
  MARIGRAM_TRY(flush());
  if (const auto object = std::exchange(object_, nullptr)) return object->finish();
  return {};
}

Status Output::flush() {
  Status done;
  if (object_) {
    done = object_->write(std::as_bytes(std::span(buffer_)));
  } else {
    done = flush_descriptor();
  }
  buffer_.clear();
  return done;
}

Status Output::flush_descriptor() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ::ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      reader_gone_ = errno == EPIPE;
      return system_failure(name_, errno);
    }
  }
  return {};
}

}  // namespace marigram::cli
