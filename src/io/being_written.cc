#include "io/being_written.h"

#include "io/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace marigram::io {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

bool is_number(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Whether the open file that /proc/<pid>/fdinfo/<n> describes may be written to.
bool has_write_mode(const std::string& path) {
  const Descriptor info(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (info.get() < 0) return false;  // closed since
  std::array<char, 256> text{};      // "pos:\t0\nflags:\t0100002\n…": the flags, octal, come second
  const ssize_t length = ::read(info.get(), text.data(), text.size() - 1);
  if (length <= 0) return false;
  const char* const flags = std::strstr(text.data(), "flags:");
  if (flags == nullptr) return true;
  return (std::strtoul(flags + std::strlen("flags:"), nullptr, 8) & O_ACCMODE) != O_RDONLY;
}

enum class Answer { kNo, kYes, kUnknown };

/// Whether the process of folder `process` (/proc/<pid>) has `wanted` open for writing.
Answer asks_process(const std::string& process, const struct stat& wanted) {
  const std::string files = process + "/fd";
  const FolderStream folder(::opendir(files.c_str()));
  if (!folder) return errno == ENOENT || errno == ESRCH ? Answer::kNo : Answer::kUnknown;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (!is_number(entry->d_name)) continue;
    struct stat found{};
    if (::stat((files + "/" + entry->d_name).c_str(), &found) != 0) continue;  // closed since
    if (found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino) continue;
    if (has_write_mode(process + "/fdinfo/" + entry->d_name)) return Answer::kYes;
  }
  return Answer::kNo;
}

}  // namespace

FileResult<bool> is_being_written_by_processes(int fd) {
  struct stat wanted{};
  if (::fstat(fd, &wanted) != 0) return std::unexpected(Errno{errno});
  const FolderStream processes(::opendir("/proc"));
  if (!processes) return true;
  bool all_known = true;
  bool any = false;
  while (const dirent* entry = ::readdir(processes.get())) {
    if (!is_number(entry->d_name)) continue;
    any = true;
    const Answer answer = asks_process(std::string("/proc/") + entry->d_name, wanted);
    if (answer == Answer::kYes) return true;
    if (answer == Answer::kUnknown) all_known = false;
  }
  return !any || !all_known;
}

FileResult<bool> is_being_written(int fd) {
  // A read lease is granted only while nobody has the file open for writing (fcntl(2), "Leases"); that is all it is
  // wanted for, and it is given back at once. A writer who opens the file in between makes the kernel signal us: by
  // SIGIO, which would end a process that does not expect it, so SIGURG is asked for, which is ignored by default.
  if (::fcntl(fd, F_SETSIG, SIGURG) == 0) {
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
      ::fcntl(fd, F_SETLEASE, F_UNLCK);
      return false;
    }
    if (errno == EAGAIN) return true;
  }
  return is_being_written_by_processes(fd);
}

}  // namespace marigram::io
