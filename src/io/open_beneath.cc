#include "io/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <string_view>
#include <vector>

namespace marigram::io {
namespace {

std::unexpected<Errno> last_error() {
  return std::unexpected(Errno{errno});
}

FileResult<Descriptor> open_at(int folder, const std::string& name, int flags) {
  int fd = -1;
  do {
    fd = ::openat(folder, name.c_str(), flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return last_error();
  return Descriptor(fd);
}

FileResult<std::string> read_link(int link) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(link, "", target.data(), target.size());
  if (length < 0) return last_error();
  target.resize(static_cast<std::size_t>(length));
  return target;
}

/// The walk's state: where it is, and which parts are still to come.
class Walk {
 public:
  Walk(int root, std::string_view path) : root_(root) { push_parts(path); }

  FileResult<Descriptor> open(int flags) {
    while (!coming_.empty()) {
      const std::string part = std::move(coming_.back());
      coming_.pop_back();
      if (part == ".") continue;
      if (part == "..") {
        if (entered_.empty()) return std::unexpected(Errno{EXDEV});
        entered_.pop_back();
        continue;
      }
      auto step = open_at(here(), part, O_PATH | O_NOFOLLOW);
      if (!step) return step;
      struct stat found{};
      if (::fstat(step->get(), &found) != 0) return last_error();
      if (S_ISLNK(found.st_mode)) {
        if (auto followed = follow(step->get()); !followed) return std::unexpected(followed.error());
      } else if (coming_.empty() && !S_ISDIR(found.st_mode)) {
        // Opened again, not followed: a link that was put here since the look is ELOOP.
        return (flags & O_PATH) != 0 && (flags & O_DIRECTORY) == 0 ? std::move(step)
                                                                   : open_at(here(), part, flags | O_NOFOLLOW);
      } else if (!S_ISDIR(found.st_mode)) {
        return std::unexpected(Errno{ENOTDIR});
      } else {
        entered_.push_back(std::move(*step));
      }
    }
    return open_at(here(), ".", flags);
  }

 private:
  int here() const { return entered_.empty() ? root_ : entered_.back().get(); }

  /// A slash at the end asks for a folder, as "." does.
  void push_parts(std::string_view path) {
    if (path.ends_with('/')) coming_.emplace_back(".");
    while (!path.empty()) {
      const std::size_t slash = path.rfind('/');
      const std::string_view part = slash == std::string_view::npos ? path : path.substr(slash + 1);
      if (!part.empty()) coming_.emplace_back(part);
      path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    }
  }

  FileStatus follow(int link) {
    constexpr int kLinksMax = 40;  // as the kernel
    if (++links_ > kLinksMax) return std::unexpected(Errno{ELOOP});
    const auto target = read_link(link);
    if (!target) return std::unexpected(target.error());
    if (target->starts_with('/')) return std::unexpected(Errno{EXDEV});
    push_parts(*target);
    return {};
  }

  int root_;
  std::vector<Descriptor> entered_;  // folders below the root, outermost first
  std::vector<std::string> coming_;  // parts still to come, the next one last
  int links_ = 0;
};

}  // namespace

FileResult<Descriptor> open_beneath_by_walk(int root, const std::string& path, int flags) {
  return Walk(root, path).open(flags);
}

FileResult<Descriptor> open_beneath_by_kernel(int root, const std::string& path, int flags) {
  struct open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* const name = path.empty() ? "." : path.c_str();
  // EAGAIN: a rename elsewhere raced with a `..`; the kernel asks to be asked again.
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, root, name, &how, sizeof(how));
    if (fd >= 0) return Descriptor(static_cast<int>(fd));
    if (errno == EINTR || (errno == EAGAIN && tries < 100)) continue;
    return last_error();
  }
}

FileResult<Descriptor> open_beneath(int root, const std::string& path, int flags) {
  static std::atomic<bool> kernel_can = true;
  if (kernel_can.load(std::memory_order_relaxed)) {
    auto opened = open_beneath_by_kernel(root, path, flags);
    const int error = opened ? 0 : opened.error().value;
    // ENOSYS is for ever (before Linux 5.6); EPERM is a sandbox's answer, or that of this file alone; EAGAIN see above.
    if (error != ENOSYS && error != EPERM && error != EAGAIN) return opened;
    if (error == ENOSYS) kernel_can.store(false, std::memory_order_relaxed);
  }
  return open_beneath_by_walk(root, path, flags);
}

}  // namespace marigram::io
