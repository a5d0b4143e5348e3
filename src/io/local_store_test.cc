// What only a store on the machine's own files must withstand: links that lead outside, pipes, foreign files, a full
// disk, a read-only one, lack of rights. Without this test a put could write outside its root, or leave litter behind.
#include "io/local_store.h"

#include "base/test_sanitized.h"
#include "io/object_key.h"
#include "io/temporary_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, const std::string& text = "") {
  ASSERT_FALSE(result);
  EXPECT_STREQ(error_code_name(result.error().code), error_code_name(code)) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(text));
}

/// Everything below `path`, relative to it, sorted.
std::vector<std::string> tree_of(const fs::path& path) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    names.push_back(entry.path().lexically_relative(path).string());
  }
  std::ranges::sort(names);
  return names;
}

void write_file(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<std::string> keys_of(const ObjectStore& store, std::string_view prefix = "") {
  std::vector<std::string> keys;
  const auto listed = store.list(prefix).value();
  for (const ObjectInfo& info : listed) keys.push_back(info.key);
  return keys;
}

/// Runs `body` in a process of its own, as nobody if `as_nobody`; true if it returns true.
bool in_child(bool as_nobody, const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (as_nobody && (::setgid(65'534) != 0 || ::setuid(65'534) != 0)) ::_exit(2);
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

template <typename T>
bool fails_with(const Result<T>& result, ErrorCode code) {
  return !result && result.error().code == code;
}

class LocalStore : public ::testing::Test {
 protected:
  LocalStore() : root_(folder_.path() / "root"), store_(make_local_store(root_).value()) {}

  TemporaryFolder folder_;
  fs::path root_;
  std::shared_ptr<ObjectStore> store_;
};

constexpr Instant kEndOfTime{std::numeric_limits<std::int64_t>::max(), 0};

TEST_F(LocalStore, ObjectsAreFilesAndNothingElseIsLeft) {
  EXPECT_FALSE(fs::exists(root_));
  EXPECT_TRUE(store_->check_writable());
  EXPECT_FALSE(fs::exists(root_));  // asking changed nothing
  ASSERT_TRUE(store_->put("a/b/c", "1"));
  ASSERT_TRUE(store_->put("a/b/c", "2"));
  ASSERT_TRUE(store_->put("a/d", "3", PutCondition::if_absent()));
  ASSERT_FALSE(store_->put("a/d", "4", PutCondition::if_absent()));
  ASSERT_FALSE(store_->put("a/d", "4", PutCondition::if_match("1")));
  ASSERT_TRUE(store_->put("a/d", "5", PutCondition::if_match(store_->head("a/d").value().version)));
  EXPECT_THAT(tree_of(root_), ElementsAre("a", "a/b", "a/b/c", "a/d"));
  EXPECT_TRUE(store_->check_writable());
  EXPECT_THAT(tree_of(root_), ElementsAre("a", "a/b", "a/b/c", "a/d"));
}

TEST_F(LocalStore, NameIsTheAbsoluteRoot) {
  EXPECT_EQ(store_->name(), root_.string());
  EXPECT_EQ(make_local_store(root_ / "x" / ".." / "").value()->name(), root_.string());
  const auto relative = make_local_store("no/such/folder/anywhere").value();
  EXPECT_EQ(relative->name(), (fs::current_path() / "no/such/folder/anywhere").string());
}

TEST_F(LocalStore, RootsThatCannotBeAreRefused) {
  write_file(folder_.path() / "file", "x");
  expect_error(make_local_store(""), ErrorCode::kInvalidInput, "empty");
  expect_error(make_local_store(folder_.path() / "file"), ErrorCode::kInvalidInput, "not a folder");
  expect_error(make_local_store(std::string("a\0b", 3)), ErrorCode::kInvalidInput, "NUL");
}

TEST_F(LocalStore, OpenDescriptorsDoNotPile) {
  const auto descriptors = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  ASSERT_TRUE(store_->put("a/b", "1"));
  const auto before = descriptors();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(store_->put("a/b", "1"));
    ASSERT_FALSE(store_->put("a/b", "1", PutCondition::if_absent()));
    ASSERT_FALSE(store_->put("a/b", "1", PutCondition::if_match("x")));
    ASSERT_TRUE(store_->read("a/b"));
    ASSERT_TRUE(store_->list(""));
    ASSERT_TRUE(store_->create("a/c"));
    ASSERT_TRUE(store_->open("a/b").value()->map());
    ASSERT_FALSE(store_->head("a/x"));
  }
  EXPECT_EQ(descriptors(), before);
}

TEST_F(LocalStore, LinksThatLeadOutsideAreRefused) {
  const fs::path outside = folder_.path() / "outside";
  write_file(outside / "secret", "secret");
  fs::create_directories(root_ / "in");
  fs::create_symlink("../outside", root_ / "folder");
  fs::create_symlink(outside, root_ / "absolute");
  fs::create_symlink("../outside/secret", root_ / "object");
  fs::create_symlink("../../outside/secret", root_ / "in/object");
  const std::vector<std::string> before = tree_of(folder_.path());

  for (const char* key : {"folder/secret", "absolute/secret", "object", "in/object"}) {
    expect_error(store_->head(key), ErrorCode::kPermissionDenied, "symbolic link");
    expect_error(store_->read(key), ErrorCode::kPermissionDenied, key);
    expect_error(store_->open(key), ErrorCode::kPermissionDenied, root_.string());
    expect_error(store_->in_use(key), ErrorCode::kPermissionDenied);
    expect_error(store_->remove(key), ErrorCode::kPermissionDenied);
    expect_error(store_->put(key, "x"), ErrorCode::kPermissionDenied);
    expect_error(store_->put(key, "x", PutCondition::if_absent()), ErrorCode::kPermissionDenied);
    expect_error(store_->put(key, "x", PutCondition::if_match("1")), ErrorCode::kPermissionDenied);
  }
  for (const char* key : {"folder/new", "absolute/new", "folder/new/new"}) {
    expect_error(store_->put(key, "x"), ErrorCode::kPermissionDenied);
    expect_error(store_->create(key), ErrorCode::kPermissionDenied);
  }
  expect_error(store_->list("folder"), ErrorCode::kPermissionDenied);
  EXPECT_THAT(keys_of(*store_), IsEmpty());
  write_file(outside / make_temporary_name(), "old");
  EXPECT_THAT(store_->sweep_unfinished(kEndOfTime, false).value(), IsEmpty());
  EXPECT_EQ(tree_of(folder_.path()).size(), before.size() + 1);
}

TEST_F(LocalStore, LinksThatStayInsideAreFollowed) {
  ASSERT_TRUE(store_->put("real/object", "1"));
  fs::create_symlink("real", root_ / "folder");
  fs::create_symlink("real/object", root_ / "object");
  fs::create_symlink("nowhere", root_ / "dangling");
  fs::create_symlink(".", root_ / "real/loop");
  EXPECT_EQ(store_->read("folder/object").value().bytes, "1");
  EXPECT_EQ(store_->read("object").value().bytes, "1");
  ASSERT_TRUE(store_->put("folder/new", "2"));
  EXPECT_EQ(store_->read("real/new").value().bytes, "2");
  expect_error(store_->read("dangling"), ErrorCode::kNotFound);
  // Links to folders are not followed by lists, so that a loop ends.
  EXPECT_THAT(keys_of(*store_), ElementsAre("object", "real/new", "real/object"));
  // A put replaces the link, not what it points to.
  ASSERT_TRUE(store_->put("object", "3"));
  EXPECT_EQ(store_->read("real/object").value().bytes, "1");
  EXPECT_FALSE(fs::is_symlink(root_ / "object"));
}

TEST_F(LocalStore, TheRootMayBeALink) {
  fs::create_directory(folder_.path() / "elsewhere");
  fs::create_directory_symlink("elsewhere", folder_.path() / "link");
  const auto store = make_local_store(folder_.path() / "link").value();
  ASSERT_TRUE(store->put("a", "1"));
  EXPECT_TRUE(fs::exists(folder_.path() / "elsewhere/a"));
}

TEST_F(LocalStore, PipesAndFoldersAreNoObjects) {
  ASSERT_TRUE(store_->put("a/b", "1"));
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  expect_error(store_->read("pipe"), ErrorCode::kNotFound, "something else");  // and does not wait for a writer
  expect_error(store_->open("pipe"), ErrorCode::kNotFound);
  expect_error(store_->head("pipe"), ErrorCode::kNotFound);
  expect_error(store_->in_use("pipe"), ErrorCode::kNotFound);
  expect_error(store_->remove("pipe"), ErrorCode::kNotFound);
  EXPECT_THAT(keys_of(*store_), ElementsAre("a/b"));
}

TEST_F(LocalStore, ListsForeignFilesButNotTemporaryOnes) {
  write_file(root_ / "_timeseries_log/CURRENT", "1\n");
  write_file(root_ / "_timeseries_log/CURRENT.tmp", "2\n");
  write_file(root_ / "_timeseries_log" / make_temporary_name(), "x");
  write_file(root_ / make_temporary_name() / "x", "x");
  EXPECT_THAT(keys_of(*store_), ElementsAre("_timeseries_log/CURRENT", "_timeseries_log/CURRENT.tmp"));
}

TEST_F(LocalStore, SweepsOldLeftoversOnly) {
  ASSERT_TRUE(store_->put("a/b", "1"));
  const std::string old_name = make_temporary_name();
  const std::string young_name = make_temporary_name();
  write_file(root_ / "a" / old_name, "12345");
  write_file(root_ / young_name, "x");
  write_file(root_ / "a/.tmp-notes", "x");
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(root_ / "a" / old_name, now - std::chrono::hours(48));
  fs::last_write_time(root_ / "a/.tmp-notes", now - std::chrono::hours(48));
  fs::last_write_time(root_ / "a/b", now - std::chrono::hours(48));
  const Instant written = store_->head("a/b").value().modified;
  const Instant cutoff{written.seconds + 24 * 3'600, 0};

  const std::vector<std::string> before = tree_of(root_);
  const auto found = store_->sweep_unfinished(cutoff, true).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key, "a/" + old_name);
  EXPECT_EQ(found[0].size, 5u);
  EXPECT_EQ(tree_of(root_), before);

  EXPECT_EQ(store_->sweep_unfinished(cutoff, false).value().size(), 1u);
  EXPECT_EQ(tree_of(root_).size(), before.size() - 1);
  EXPECT_TRUE(fs::exists(root_ / young_name));
  EXPECT_TRUE(fs::exists(root_ / "a/.tmp-notes"));
  EXPECT_THAT(store_->sweep_unfinished(cutoff, false).value(), IsEmpty());
}

TEST_F(LocalStore, SeesForeignWriters) {
  write_file(root_ / "a", "half");
  EXPECT_FALSE(store_->in_use("a").value());
  {
    const std::ofstream writer(root_ / "a", std::ios::app);
    EXPECT_TRUE(store_->in_use("a").value());
  }
  EXPECT_FALSE(store_->in_use("a").value());
  const auto reader = store_->open("a").value();
  EXPECT_FALSE(store_->in_use("a").value());
}

TEST_F(LocalStore, WaitsForSomebodyElsesLeaseInsteadOfFailing) {
  ASSERT_TRUE(store_->put("a", "1"));
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open((root_ / "a").c_str(), O_RDWR);
    const char leased = ::fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &leased, 1));
    if (leased == 'y') ::pause();  // the kernel asks for the lease by SIGIO, which ends this process
    ::_exit(0);
  }
  char leased = 0;
  ASSERT_EQ(::read(ready[0], &leased, 1), 1);
  const auto read = store_->read("a");
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
  if (leased != 'y') GTEST_SKIP() << "this file system has no leases";
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->bytes, "1");
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGIO);
}

TEST_F(LocalStore, ATruncatedObjectIsAnErrorToItsReader) {
  write_file(root_ / "a", std::string(10'000, 'x'));
  const auto object = store_->open("a").value();
  fs::resize_file(root_ / "a", 4'000);
  std::string out(10'000, '?');
  expect_error(object->read_at(0, std::as_writable_bytes(std::span(out))), ErrorCode::kCorruption, "'a'");
  ASSERT_TRUE(object->read_at(0, std::as_writable_bytes(std::span(out)).first(4'000)));
}

TEST_F(LocalStore, AHugeSparseFileIsRefusedNotDied) {
  write_file(root_ / "a", "");
  ASSERT_EQ(::truncate((root_ / "a").c_str(), off_t{1} << 43), 0);  // 8 TiB: beyond all memory, within ext4
  EXPECT_EQ(store_->head("a").value().size, std::uint64_t{1} << 43);
  const auto object = store_->open("a").value();
  std::string out(3, '?');
  ASSERT_TRUE(object->read_at((std::uint64_t{1} << 43) - 3, std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(out, std::string(3, '\0'));
  if (!kSanitized) {  // whose allocators end the process where others say that there is no memory
    expect_error(store_->read("a"), ErrorCode::kResourceExhausted, "'a'");
  }
}

TEST_F(LocalStore, AForeignChangeInPlaceChangesTheVersion) {
  const std::string version = store_->put("a", "1").value().version;
  write_file(root_ / "a", "2");
  expect_error(store_->put("a", "3", PutCondition::if_match(version)), ErrorCode::kConflict);
  EXPECT_EQ(store_->read("a").value().bytes, "2");
}

TEST_F(LocalStore, ReplacingAFileFromTheFutureMovesItsTimeOn) {
  const auto year_2050 = fs::file_time_type::clock::now() + std::chrono::hours(24 * 365 * 25);
  ASSERT_TRUE(store_->put("a", "1"));
  fs::last_write_time(root_ / "a", year_2050);
  const Instant future = store_->head("a").value().modified;
  EXPECT_GT(store_->put("a", "2").value().modified, future);
}

TEST_F(LocalStore, TheRootMayBeRemovedAndMadeAgain) {
  ASSERT_TRUE(store_->put("a/b", "1"));
  fs::remove_all(root_);
  EXPECT_THAT(keys_of(*store_), IsEmpty());
  expect_error(store_->read("a/b"), ErrorCode::kNotFound);
  ASSERT_TRUE(store_->put("a/b", "2"));
  EXPECT_EQ(store_->read("a/b").value().bytes, "2");
}

TEST_F(LocalStore, LackOfRightsIsSaid) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  ASSERT_TRUE(store_->put("a/b", "1"));
  fs::permissions(root_ / "a/b", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(in_child(true, [&] {
    return fails_with(store_->put("a/b", "2"), ErrorCode::kPermissionDenied) &&
           fails_with(store_->put("c/d", "2"), ErrorCode::kPermissionDenied) &&
           fails_with(store_->remove("a/b"), ErrorCode::kPermissionDenied) &&
           fails_with(store_->read("a/b"), ErrorCode::kPermissionDenied) &&
           fails_with(store_->check_writable(), ErrorCode::kPermissionDenied) &&
           fails_with(make_local_store(root_ / "x/y").value()->check_writable(), ErrorCode::kPermissionDenied) &&
           store_->head("a/b").has_value();
  }));
  // A folder that one may pass through but not read: look-ups work, lists do not.
  fs::permissions(root_ / "a", fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  EXPECT_TRUE(in_child(true, [&] {
    return store_->head("a/b").has_value() && fails_with(store_->list(""), ErrorCode::kPermissionDenied);
  }));
  EXPECT_THAT(tree_of(root_), ElementsAre("a", "a/b"));
}

TEST_F(LocalStore, ALimitOnFileSizesIsResourceExhaustedAndLeavesNothing) {
  ASSERT_TRUE(store_->put("a", "1"));
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit low = {.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
  const auto put = store_->put("a", std::string(200'000, 'x'));
  auto object = store_->create("b/c").value();
  Status written = object->write(bytes_of(std::string(600'000, 'x')));
  if (written) written = object->finish();
  object.reset();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  expect_error(put, ErrorCode::kResourceExhausted, "'a'");
  expect_error(written, ErrorCode::kResourceExhausted, "'b/c'");
  EXPECT_THAT(tree_of(root_), ElementsAre("a", "b"));
  EXPECT_EQ(store_->read("a").value().bytes, "1");
  EXPECT_TRUE(store_->put("a", std::string(200'000, 'x')));  // and the store goes on
}

/// A small file system of its own in a folder, where we may mount one.
class MountedStore : public LocalStore {
 protected:
  MountedStore() {
    fs::create_directory(root_);
    mounted_ = ::mount("tmpfs", root_.c_str(), "tmpfs", 0, "size=256k") == 0;
  }
  ~MountedStore() override {
    store_.reset();
    if (mounted_) ::umount2(root_.c_str(), MNT_DETACH);
  }
  bool mounted_ = false;
};

TEST_F(MountedStore, AFullDiskIsResourceExhaustedAndLeavesNothing) {
  if (!mounted_) GTEST_SKIP() << "needs the right to mount a tmpfs";
  ASSERT_TRUE(store_->put("keep", "kept"));
  std::vector<std::string> filled;
  for (int i = 0; i < 100; ++i) {
    const auto put = store_->put("fill/" + std::to_string(i), std::string(20'000, 'x'));
    if (!put) {
      expect_error(put, ErrorCode::kResourceExhausted, "free space");
      break;
    }
    filled.push_back("fill/" + std::to_string(i));
  }
  ASSERT_GT(filled.size(), 3u);
  ASSERT_LT(filled.size(), 14u);
  auto object = store_->create("pieces").value();
  Status written;
  for (int i = 0; i < 40 && written; ++i) written = object->write(bytes_of(std::string(20'000, 'y')));
  if (written) written = object->finish();
  expect_error(written, ErrorCode::kResourceExhausted, "'pieces'");
  expect_error(object->finish(), ErrorCode::kResourceExhausted);  // a failed write cannot be finished after all
  object.reset();

  EXPECT_EQ(tree_of(root_).size(), filled.size() + 2);  // with "keep" and "fill"
  EXPECT_EQ(store_->read("keep").value().bytes, "kept");
  ASSERT_TRUE(store_->remove(filled.front()));
  EXPECT_TRUE(store_->put("again", std::string(15'000, 'z')));  // without a restart
}

TEST_F(MountedStore, AReadOnlyFileSystemIsPermissionDenied) {
  if (!mounted_) GTEST_SKIP() << "needs the right to mount a tmpfs";
  ASSERT_TRUE(store_->put("a/b", "1"));
  ASSERT_EQ(::mount(nullptr, root_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  expect_error(store_->check_writable(), ErrorCode::kPermissionDenied, "read-only");
  expect_error(make_local_store(root_ / "not/yet").value()->check_writable(), ErrorCode::kPermissionDenied);
  expect_error(store_->put("a/b", "2"), ErrorCode::kPermissionDenied, "mount it for writing");
  expect_error(store_->put("c/d", "2"), ErrorCode::kPermissionDenied);
  expect_error(store_->remove("a/b"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(store_->read("a/b").value().bytes, "1");
  EXPECT_FALSE(store_->in_use("a/b").value());
  ASSERT_EQ(::mount(nullptr, root_.c_str(), nullptr, MS_REMOUNT, nullptr), 0);
  EXPECT_TRUE(store_->check_writable());
  EXPECT_TRUE(store_->put("a/b", "2"));
}

TEST_F(LocalStore, CheckWritableOfAFileInTheWay) {
  const auto store = make_local_store(folder_.path() / "file/below").value();
  write_file(folder_.path() / "file", "x");
  expect_error(store->check_writable(), ErrorCode::kIo);
  EXPECT_FALSE(store->put("a", "1"));
}

}  // namespace
}  // namespace marigram::io
