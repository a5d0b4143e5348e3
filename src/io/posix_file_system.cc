#include "io/posix_file_system.h"

#include "base/try.h"
#include "io/being_written.h"
#include "io/descriptor.h"
#include "io/mapping_guard.h"
#include "io/open_beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace marigram::io {
namespace {

std::unexpected<Errno> last_error() {
  return std::unexpected(Errno{errno});
}

/// Repeats a system call that a signal interrupted.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

FileStatus status_of(long result) {
  if (result < 0) return last_error();
  return {};
}

Instant instant_of(const timespec& time) {
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

FileStat file_stat_of(const struct stat& found) {
  FileKind kind = FileKind::kOther;
  if (S_ISREG(found.st_mode)) kind = FileKind::kFile;
  if (S_ISDIR(found.st_mode)) kind = FileKind::kFolder;
  if (S_ISLNK(found.st_mode)) kind = FileKind::kLink;
  return {kind, found.st_ino, static_cast<std::uint64_t>(found.st_size), instant_of(found.st_mtim),
          instant_of(found.st_ctim)};
}

FileResult<FileStat> stat_of(const Descriptor& fd) {
  struct stat found{};
  if (::fstat(fd.get(), &found) != 0) return last_error();
  return file_stat_of(found);
}

class PosixMapping final : public Mapping {
 public:
  PosixMapping(void* begin, std::size_t size) : begin_(begin), size_(size), guard_(std::in_place, bytes()) {
    std::ranges::copy(end(), end_.begin());
  }
  ~PosixMapping() override {
    guard_.reset();
    if (size_ != 0) ::munmap(begin_, size_);
  }
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;

  std::span<const std::byte> bytes() const override { return {static_cast<const std::byte*>(begin_), size_}; }

  /// Of a page that is cut in two the rest reads as zeros without a fault.
  bool is_whole() const override {
    return std::ranges::equal(end(), std::span(end_).first(end().size())) && !guard_->is_cut();
  }

  void will_need(std::uint64_t offset, std::uint64_t length) const override {
    if (offset >= size_) return;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t first = offset / page * page;
    ::madvise(static_cast<std::byte*>(begin_) + first, std::min(length, size_ - offset) + (offset - first),
              MADV_WILLNEED);  // if it fails, no harm
  }

 private:
  std::span<const std::byte> end() const { return bytes().last(std::min(size_, end_.size())); }

  void* begin_;
  std::size_t size_;
  std::optional<MappingGuard> guard_;
  std::array<std::byte, 8> end_ = {};  // as it was
};

class PosixFile final : public File {
 public:
  explicit PosixFile(Descriptor fd) : fd_(std::move(fd)) {}

  const Descriptor& descriptor() const { return fd_; }
  FileResult<FileStat> stat() const override { return stat_of(fd_); }

  FileResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = uninterrupted(
          [&] { return ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done)); });
      if (got < 0) return last_error();
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  FileResult<std::size_t> write(std::span<const std::byte> bytes) override {
    const ssize_t got = uninterrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
    if (got < 0) return last_error();
    return static_cast<std::size_t>(got);
  }

  FileResult<std::size_t> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const ssize_t got =
        uninterrupted([&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (got < 0) return last_error();
    return static_cast<std::size_t>(got);
  }

  FileStatus allocate(std::uint64_t size) override {
    int error = EINTR;  // it returns the error and leaves errno alone
    while (error == EINTR) error = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(size));
    if (error != 0) return std::unexpected(Errno{error});
    return {};
  }

  FileStatus sync() override {
    return status_of(uninterrupted([&] { return ::fsync(fd_.get()); }));
  }

  FileStatus sync_content() override {
    return status_of(uninterrupted([&] { return ::fdatasync(fd_.get()); }));
  }

  FileStatus set_modified(Instant modified) override {
    const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                              {.tv_sec = modified.seconds, .tv_nsec = static_cast<long>(modified.nanos)}};
    return status_of(::futimens(fd_.get(), times));
  }

  FileResult<std::unique_ptr<Mapping>> map(std::uint64_t size) const override {
    if (size == 0) return std::make_unique<PosixMapping>(nullptr, 0);
    void* const begin = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_.get(), 0);
    if (begin == MAP_FAILED) return last_error();
    ::madvise(begin, size, MADV_DONTDUMP);  // stored data has no place in a core dump; if it fails, no harm
    return std::make_unique<PosixMapping>(begin, size);
  }

 private:
  Descriptor fd_;
};

class PosixFolderLock final : public FolderLock {
 public:
  explicit PosixFolderLock(int fd) : fd_(fd) {}
  ~PosixFolderLock() override { ::flock(fd_, LOCK_UN); }
  PosixFolderLock(const PosixFolderLock&) = delete;
  PosixFolderLock& operator=(const PosixFolderLock&) = delete;

 private:
  int fd_;  // the folder's
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

class PosixFolder final : public Folder {
 public:
  explicit PosixFolder(Descriptor fd) : fd_(std::move(fd)) {}

  FileResult<FileStat> stat() const override { return stat_of(fd_); }

  FileResult<std::vector<FolderEntry>> entries() const override {
    // A descriptor of its own: the stream takes it over, and its position is nobody else's.
    const int fd = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return last_error();
    const std::unique_ptr<DIR, CloseFolder> stream(::fdopendir(fd));
    if (!stream) {
      const int error = errno;
      ::close(fd);
      return std::unexpected(Errno{error});
    }
    std::vector<FolderEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat found{};
      if (::fstatat(fd_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
        entries.push_back({std::move(name), file_stat_of(found)});
      } else if (errno != ENOENT) {
        return last_error();
      }
    }
    if (errno != 0) return last_error();
    return entries;
  }

  FileResult<std::unique_ptr<File>> create(const std::string& name) override {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int fd = uninterrupted([&] { return ::openat(fd_.get(), name.c_str(), kFlags, 0666); });
    if (fd < 0) return last_error();
    return std::make_unique<PosixFile>(Descriptor(fd));
  }

  FileResult<std::unique_ptr<File>> open_for_writing(const std::string& name) override {
    constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
    const int fd = uninterrupted([&] { return ::openat(fd_.get(), name.c_str(), kFlags); });
    if (fd < 0) return last_error();
    return std::make_unique<PosixFile>(Descriptor(fd));
  }

  FileStatus make_folder(const std::string& name) override {
    return status_of(::mkdirat(fd_.get(), name.c_str(), 0777));
  }

  FileStatus remove_folder(const std::string& name) override {
    return status_of(::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR));
  }

  FileStatus rename(const std::string& from, const std::string& to) override {
    return status_of(::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()));
  }

  FileStatus rename_new(const std::string& from, const std::string& to) override {
    return status_of(::renameat2(fd_.get(), from.c_str(), fd_.get(), to.c_str(), RENAME_NOREPLACE));
  }

  FileStatus link(const std::string& from, const std::string& to) override {
    return status_of(::linkat(fd_.get(), from.c_str(), fd_.get(), to.c_str(), 0));
  }

  /// By the descriptor, so that it is that file whatever its path leads to by now. Without /proc it is ENOENT.
  FileStatus link_file(const File& file, const std::string& name) override {
    const auto* const opened = dynamic_cast<const PosixFile*>(&file);
    if (opened == nullptr) return std::unexpected(Errno{EXDEV});
    const std::string path = "/proc/self/fd/" + std::to_string(opened->descriptor().get());
    return status_of(::linkat(AT_FDCWD, path.c_str(), fd_.get(), name.c_str(), AT_SYMLINK_FOLLOW));
  }

  FileStatus unlink(const std::string& name) override { return status_of(::unlinkat(fd_.get(), name.c_str(), 0)); }

  FileStatus sync() override {
    const int result = uninterrupted([&] { return ::fsync(fd_.get()); });
    // EINVAL: a file system that has no sync of folders of its own, such as some in user space; there is no better to
    // do.
    if (result != 0 && errno != EINVAL) return last_error();
    return {};
  }

  FileResult<std::unique_ptr<FolderLock>> lock() override { return lock_by(LOCK_EX); }
  FileResult<std::unique_ptr<FolderLock>> try_lock() override { return lock_by(LOCK_EX | LOCK_NB); }

 private:
  FileResult<std::unique_ptr<FolderLock>> lock_by(int operation) {
    if (uninterrupted([&] { return ::flock(fd_.get(), operation); }) != 0) return last_error();
    return std::make_unique<PosixFolderLock>(fd_.get());
  }

  Descriptor fd_;
};

class PosixTree final : public Tree {
 public:
  explicit PosixTree(Descriptor fd) : fd_(std::move(fd)) {}

  FileResult<FileStat> stat(const std::string& path) const override {
    MARIGRAM_ASSIGN(const Descriptor found, open_beneath(fd_.get(), path, O_PATH));
    return stat_of(found);
  }

  FileResult<std::unique_ptr<File>> open_file(const std::string& path) const override {
    MARIGRAM_ASSIGN(Descriptor file, open_for_reading(path));
    return std::make_unique<PosixFile>(std::move(file));
  }

  FileResult<std::unique_ptr<Folder>> open_folder(const std::string& path) const override {
    MARIGRAM_ASSIGN(Descriptor folder, open_beneath(fd_.get(), path, O_RDONLY | O_DIRECTORY));
    return std::make_unique<PosixFolder>(std::move(folder));
  }

  FileResult<bool> is_being_written(const std::string& path) const override {
    MARIGRAM_ASSIGN(const Descriptor file, open_for_reading(path));
    return io::is_being_written(file.get());
  }

  FileStatus check_writable() const override { return status_of(::faccessat(fd_.get(), ".", W_OK | X_OK, AT_EACCESS)); }

 private:
  /// O_NONBLOCK: a named pipe under the key must not make us wait for its writer. It also makes a file whose lease
  /// another program holds (a file server, say) answer EAGAIN; for such a file we do wait until the lease is given up.
  FileResult<Descriptor> open_for_reading(const std::string& path) const {
    constexpr int kFlags = O_RDONLY | O_NOCTTY;
    auto opened = open_beneath(fd_.get(), path, kFlags | O_NONBLOCK);
    if (opened || opened.error() != Errno{EAGAIN}) return opened;
    MARIGRAM_ASSIGN(const FileStat found, stat(path));
    if (found.kind != FileKind::kFile) return opened;
    return open_beneath(fd_.get(), path, kFlags);
  }

  Descriptor fd_;  // O_PATH: good for look-ups without the right to read the folder
};

class PosixFileSystem final : public FileSystem {
 public:
  FileResult<std::unique_ptr<Tree>> open_tree(const std::filesystem::path& path) const override {
    const int fd = uninterrupted([&] { return ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return last_error();
    return std::make_unique<PosixTree>(Descriptor(fd));
  }
};

}  // namespace

std::shared_ptr<FileSystem> make_posix_file_system() {
  return std::make_shared<PosixFileSystem>();
}

Result<std::filesystem::path> absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(path, error);
  if (!error) return absolute;
  return fail(ErrorCode::kIo, "cannot find " + path.string() + " from the working folder: " + error.message());
}

std::string process_name() {
  std::array<char, 256> host{};
  const bool named = ::gethostname(host.data(), host.size() - 1) == 0;
  return "process " + std::to_string(::getpid()) + " on " + (named ? host.data() : "this host");
}

}  // namespace marigram::io
