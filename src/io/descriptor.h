// Ownership of a file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace marigram::io {

/// Closes its descriptor when destroyed. An error of close() is of no interest: what must last was synced before.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace marigram::io
