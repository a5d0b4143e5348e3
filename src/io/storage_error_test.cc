// Callers decide by the code (retry, give up, tell the user), and people by the message. Without this test an errno
// could turn into the wrong one of either.
#include "io/storage_error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace marigram::io {
namespace {

TEST(StorageError, CodesOfErrno) {
  const std::pair<int, ErrorCode> codes[] = {{ENOENT, ErrorCode::kNotFound},
                                             {ENOTDIR, ErrorCode::kNotFound},
                                             {EISDIR, ErrorCode::kNotFound},
                                             {EEXIST, ErrorCode::kAlreadyExists},
                                             {EACCES, ErrorCode::kPermissionDenied},
                                             {EPERM, ErrorCode::kPermissionDenied},
                                             {EROFS, ErrorCode::kPermissionDenied},
                                             {EXDEV, ErrorCode::kPermissionDenied},
                                             {ENOSPC, ErrorCode::kResourceExhausted},
                                             {EDQUOT, ErrorCode::kResourceExhausted},
                                             {EFBIG, ErrorCode::kResourceExhausted},
                                             {EMFILE, ErrorCode::kResourceExhausted},
                                             {ENFILE, ErrorCode::kResourceExhausted},
                                             {ENOMEM, ErrorCode::kResourceExhausted},
                                             {EIO, ErrorCode::kIo},
                                             {ELOOP, ErrorCode::kIo},
                                             {ENAMETOOLONG, ErrorCode::kInvalidInput}};
  for (const auto& [value, code] : codes) EXPECT_EQ(code_of({value}), code) << value;
}

TEST(StorageError, MessagesNameEverything) {
  EXPECT_EQ(storage_error(Errno{ENOENT}, {"read", "a/b", "/db"}).message,
            "cannot read 'a/b' in /db: no such file or directory");
  EXPECT_EQ(storage_error(Errno{ENOSPC}, {"write", "a", "/db"}).message,
            "cannot write 'a' in /db: no space left on device; free space, then retry");
  EXPECT_EQ(storage_error(Errno{EXDEV}, {"read", "a", "/db"}).message,
            "cannot read 'a' in /db: not allowed; a symbolic link leads outside the store");
  EXPECT_EQ(storage_error(Errno{EIO}, {"list", "", "/db"}).message, "cannot list /db: input/output error");
}

TEST(StorageError, ExplainPassesValuesOn) {
  EXPECT_EQ(explain(FileResult<int>(3), {"read", "a", "/db"}).value(), 3);
  EXPECT_TRUE(explain(FileStatus(), {"read", "a", "/db"}));
  const Result<int> failed = explain(FileResult<int>(std::unexpected(Errno{EACCES})), {"read", "a", "/db"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace marigram::io
