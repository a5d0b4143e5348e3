// Deciding whether a foreign writer is still at work on a file. Without this test a half-written file could be taken
// for an abandoned one, or the question itself could kill the process (a broken lease raises a signal).
#include "io/being_written.h"

#include "io/descriptor.h"
#include "io/temporary_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <string>

namespace marigram::io {
namespace {

class BeingWritten : public ::testing::Test {
 protected:
  BeingWritten() {
    std::ofstream(path()) << "some bytes";
    reader_ = Descriptor(::open(path().c_str(), O_RDONLY | O_CLOEXEC));
  }

  std::string path() const { return (folder_.path() / "file").string(); }
  Descriptor open(int flags) const { return Descriptor(::open(path().c_str(), flags | O_CLOEXEC)); }

  void expect_both(bool written) const {
    EXPECT_EQ(is_being_written(reader_.get()).value(), written);
    // The second way needs to see all processes.
    if (::geteuid() == 0 || written) {
      EXPECT_EQ(is_being_written_by_processes(reader_.get()).value(), written);
    }
  }

  TemporaryFolder folder_;
  Descriptor reader_;
};

TEST_F(BeingWritten, NobodyOrReadersOnly) {
  expect_both(false);
  const Descriptor other = open(O_RDONLY);
  expect_both(false);
}

TEST_F(BeingWritten, WriterOfThisProcess) {
  {
    const Descriptor writer = open(O_WRONLY);
    expect_both(true);
    expect_both(true);
  }
  expect_both(false);
  const Descriptor both = open(O_RDWR | O_APPEND);
  expect_both(true);
}

TEST_F(BeingWritten, WriterOfAnotherProcess) {
  std::array<int, 2> ready{};
  std::array<int, 2> leave{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(leave.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(path().c_str(), O_WRONLY);
    char byte = 1;
    if (fd < 0 || ::write(ready[1], &byte, 1) != 1 || ::read(leave[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  expect_both(true);
  ASSERT_EQ(::write(leave[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_both(false);
  for (const int fd : {ready[0], ready[1], leave[0], leave[1]}) ::close(fd);
}

TEST_F(BeingWritten, WriterWhoMappedAndClosed) {
  void* mapped = MAP_FAILED;
  {
    const Descriptor writer = open(O_RDWR);
    mapped = ::mmap(nullptr, 10, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  }
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_TRUE(is_being_written(reader_.get()).value());
  ::munmap(mapped, 10);
  expect_both(false);
}

TEST_F(BeingWritten, OfSomebodyElsesFileIsUnknownWithoutTheRightToAsk) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65'534) != 0 || ::setuid(65'534) != 0) ::_exit(2);
    // Neither the owner of the file, who may take leases, nor allowed to look at the processes of others.
    ::_exit(is_being_written(reader_.get()).value_or(false) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(BeingWritten, AskingWhileWritersComeAndGoDoesNotKillTheAsker) {
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGIO, nullptr, &before), 0);
  ASSERT_EQ(before.sa_handler, SIG_DFL);  // else the test shows nothing
  std::array<int, 2> at_work{};
  ASSERT_EQ(::pipe(at_work.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (char byte = 1;; byte = 0) {  // until killed
      const int fd = ::open(path().c_str(), O_WRONLY);
      if (fd < 0 || (byte == 1 && ::write(at_work[1], &byte, 1) != 1)) ::_exit(1);
      ::close(fd);
    }
  }
  ::close(at_work[1]);
  char byte = 0;
  EXPECT_EQ(::read(at_work[0], &byte, 1), 1);
  for (int i = 0; i < 50'000; ++i) EXPECT_TRUE(is_being_written(reader_.get()));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, WNOHANG), 0);  // it was at work all the time
  EXPECT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(at_work[0]);
  expect_both(false);
}

TEST(BeingWrittenBadDescriptor, IsAnError) {
  const auto answer = is_being_written(-1);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), Errno{EBADF});
}

}  // namespace
}  // namespace marigram::io
