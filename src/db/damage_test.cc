// Every byte of a small write-ahead log is damaged in turn, of a database that two processes wrote to and died. Without
// this test damage could crash the database, put rows where nobody wrote them, or take more rows than it must.
#include "db/points.h"
#include "db/test_disk.h"
#include "db/test_extent.h"
#include "db/test_watched_database.h"
#include "db/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t kFileBytes = 1'536;
constexpr std::size_t kFiles = 4;

DatabaseOptions keep_all() {
  DatabaseOptions options;
  options.log_file_bytes = kFileBytes;
  options.duplicates = Duplicates::kAll;  // so that a row that comes twice shows
  return options;
}

/// All objects of a database.
using Objects = std::map<std::string, std::string>;

Objects objects_of(Storage& storage) {
  Objects objects;
  const auto store = storage.store("");
  const auto listed = store->list("").value();
  for (const io::ObjectInfo& object : listed) {
    objects[object.key] = store->read(object.key).value().bytes;
  }
  return objects;
}

/// A disk with a database on it.
class CopiedDisk : public TestDisk {
 public:
  explicit CopiedDisk(const Objects& objects) {
    const auto store = surroundings().storage->store("");
    for (const auto& [key, bytes] : objects) EXPECT_TRUE(store->put(key, bytes)) << key;
  }
  Surroundings surroundings() { return TestDisk::surroundings(kPath); }
};

struct WrittenBatch {
  std::string table;
  std::vector<Row> rows;
  wal::Lsn begin = 0;  // of its record
  wal::Lsn end = 0;
  wal::Lsn file = 0;              // that the record lies in
  std::set<std::string> defines;  // what no record before it has of this process in this file
  std::set<std::string> uses;
  int process = 0;
  bool flushed = false;
};

/// Writes to a database, as one process after the other, and remembers where in the log.
class Author {
 public:
  Author() { begin_process(); }

  /// The one before died.
  void begin_process() {
    const Objects left = core_ ? objects_of(core_->storage()) : Objects();
    core_.reset();
    disk_ = std::make_unique<CopiedDisk>(left);
    auto opened = Core::open(disk_->surroundings(), keep_all());
    ASSERT_TRUE(opened) << opened.error().message;
    core_ = std::move(*opened);
    ++process_;
    defined_.clear();
  }

  /// One row of each of the series; with `forgotten` it does not come into the log.
  void write(const std::string& table, const std::vector<Tags>& series, const std::string& field,
             bool forgotten = false) {
    WrittenBatch batch{.table = table, .begin = core_->log()->position(), .process = process_};
    for (const Tags& tags : series) {
      ++number_;
      batch.rows.push_back({.time_ns = number_, .tags = tags, .fields = {{field, 1.5 * static_cast<double>(number_)}}});
      std::string name = table + " series";
      for (const Tag& tag : tags) name += fmt::format(" {}={}", tag.name, tag.value);
      batch.uses.insert(name);
    }
    batch.uses.insert(table);
    batch.uses.insert(table + " field " + field);
    const Durability durability = forgotten ? Durability::kNone : Durability::kSync;
    const auto written =
        core_->write(kTenant, batch_of(table, std::span<const Row>(batch.rows), false).value(), durability);
    ASSERT_TRUE(written) << written.error().message;
    if (forgotten) return;
    batch.end = core_->log()->position();
    batch.file = core_->log()->file_at(batch.end - 1);
    batch.begin = std::max(batch.begin, batch.file + wal::kFileHeaderBytes);
    for (const std::string& used : batch.uses) {
      if (defined_[batch.file].insert(used).second) batch.defines.insert(used);
    }
    batches_.push_back(std::move(batch));
  }

  void flush() {
    ASSERT_TRUE(core_->flush());
    for (WrittenBatch& batch : batches_) batch.flushed = true;
  }
  void make_table(const std::string& table) {
    TableOptions options = options_of_new_tables(keep_all());
    ASSERT_TRUE(core_->catalogue().create(kTenant, table, options));
    ASSERT_TRUE(core_->catalogue().find(kTenant, table));
  }

  const std::vector<WrittenBatch>& batches() const { return batches_; }
  Objects objects() const { return objects_of(core_->storage()); }

 private:
  std::unique_ptr<CopiedDisk> disk_;
  std::unique_ptr<Core> core_;
  int process_ = 0;
  std::int64_t number_ = 0;
  std::map<wal::Lsn, std::set<std::string>> defined_;  // in each file
  std::vector<WrittenBatch> batches_;
};

/// Two processes number tables, series and fields differently, in the same files of the log.
Author write_log() {
  const Tags a = {{.name = "a", .value = "v0"}};
  const Tags b = {{.name = "b", .value = "v1"}};
  const Tags ab = {{.name = "a", .value = "v1"}, {.name = "b", .value = "v0"}};
  Author author;
  for (int i = 0; i < 24; ++i) author.write("t0", {a, b, ab}, "f0");
  author.flush();           // the first file goes
  author.make_table("t1");  // the first table in this process, the second in the next
  author.write("t0", {a}, "f0");
  author.flush();
  author.write("t0", {b}, "f0", true);
  author.write("t0", {a, ab}, "f0");
  author.write("t1", {b}, "f0");
  author.write("t1", {ab, b}, "f1");
  author.write("t0", {ab}, "f1");
  author.begin_process();
  for (int i = 0; i < 4; ++i) {
    author.write("t1", {b, a}, "f1");
    author.write("t0", {b, ab}, "f1");
    author.write("t1", {{}, ab}, "f0");
    author.write("t0", {ab}, "f0");
    author.write("t0", {a}, "f0");
  }
  return author;
}

/// The batches that are there; each must be there as a whole, and nothing else.
std::vector<bool> batches_in(const Tables& found, const std::vector<WrittenBatch>& written) {
  std::map<std::string, NaiveRows> left;
  for (const auto& [name, table] : found) left[name] = table.rows({.order = ScanOrder::kSeries}, {});
  std::vector<bool> present;
  for (const WrittenBatch& batch : written) {
    NaiveRows& rows = left[batch.table];
    std::size_t taken = 0;
    for (const NaiveRow& row : naive_rows(batch.rows)) {
      const auto at = std::ranges::find(rows, row);
      if (at == rows.end()) continue;
      rows.erase(at);
      ++taken;
    }
    EXPECT_TRUE(taken == 0 || taken == batch.rows.size()) << "half of the batch at " << batch.begin;
    present.push_back(taken > 0);
  }
  for (const auto& [name, rows] : left) EXPECT_THAT(rows, IsEmpty()) << name << ": nobody wrote that";
  return present;
}

class DamagedDatabase : public ::testing::TestWithParam<std::size_t> {
 protected:
  /// wal/START, and the files that were written to, by name.
  std::vector<std::string> log_files() const {
    std::vector<std::string> names;
    for (const auto& [key, bytes] : objects_) {
      if (key.starts_with("wal/0") && bytes.find_first_not_of('\0') != std::string::npos) names.push_back(key);
    }
    names.emplace_back("wal/START");
    return names;
  }

  std::vector<bool> reopen(CopiedDisk& disk, RecoveryReport* report) const {
    const auto database = disk.open(keep_all());
    EXPECT_TRUE(database) << database.error().message;
    if (!database) return {};
    if (report != nullptr) *report = database->recovery();
    const auto contents = contents_of(*database);
    EXPECT_TRUE(contents) << contents.error().message;
    return contents ? batches_in(*contents, batches_) : std::vector<bool>();
  }

  /// The batch whose record is hit; null if none is.
  const WrittenBatch* batch_at(wal::Lsn lsn) const {
    const auto hit = std::ranges::find_if(
        batches_, [&](const WrittenBatch& batch) { return lsn >= batch.begin && lsn < batch.end; });
    return hit == batches_.end() ? nullptr : &*hit;
  }

  /// Without a word of damage at most the last batch is gone.
  void expect_end_at_most_cut(CopiedDisk& disk, const WrittenBatch* hit) const {
    EXPECT_TRUE(hit == nullptr || hit == &batches_.back());
    RecoveryReport report;
    const std::vector<bool> present = reopen(disk, &report);
    ASSERT_EQ(present.size(), batches_.size());
    EXPECT_EQ(std::ranges::count(present.begin(), present.end() - 1, false), 0);
    EXPECT_EQ(present.back(), hit == nullptr);
    EXPECT_TRUE(present.back() || report.cut_bytes > 0);
  }

  /// A repair loses the batch that is hit, and those that need what only that one defined; and says so.
  void expect_rest_saved(CopiedDisk& disk, const WrittenBatch* hit) const {
    const auto repaired = verify(disk.surroundings(), true);
    ASSERT_TRUE(repaired) << repaired.error().message;
    EXPECT_TRUE(repaired->is_sound());
    EXPECT_THAT(repaired->log->lost, Not(IsEmpty()));
    const std::vector<bool> present = reopen(disk, nullptr);
    ASSERT_EQ(present.size(), batches_.size());
    const auto needs_hit = [&](const WrittenBatch& batch) {
      if (hit == nullptr || hit->process != batch.process || hit->file != batch.file) return false;
      const auto defined = [&](const std::string& used) { return hit->defines.contains(used); };
      return std::ranges::any_of(batch.uses, defined);
    };
    for (std::size_t i = 0; i < batches_.size(); ++i) {
      const WrittenBatch& batch = batches_[i];
      if (&batch == hit || batch.flushed) {
        EXPECT_EQ(present[i], batch.flushed) << "the batch at " << batch.begin;
      } else {
        EXPECT_TRUE(present[i] || needs_hit(batch)) << "the batch at " << batch.begin << " was whole";
      }
    }
  }

  const Author author_ = write_log();
  const std::vector<WrittenBatch> batches_ = author_.batches();
  const Objects objects_ = author_.objects();
};

TEST_P(DamagedDatabase, OpensWithoutAWrongRowOrSaysWhereTheDamageIs) {
  ASSERT_EQ(log_files().size(), kFiles) << fmt::format("{}", fmt::join(log_files(), " "));
  const std::string key = log_files()[GetParam()];
  const std::string name = key.substr(key.find('/') + 1);
  const auto first = wal::parse_file_name(name);
  for (std::size_t offset = 0; offset < objects_.at(key).size() && !HasFailure(); offset += kSanitized ? 13 : 1) {
    SCOPED_TRACE(fmt::format("{} offset {}", name, offset));
    Objects damaged = objects_;
    char& byte = damaged[key][offset];
    byte = static_cast<char>(byte ^ (1 << offset % 8));
    const WrittenBatch* const hit = first ? batch_at(*first + offset) : nullptr;
    CopiedDisk disk(damaged);
    const auto opened = disk.open(keep_all());
    if (opened) {
      EXPECT_TRUE(first);
      CopiedDisk again(damaged);
      expect_end_at_most_cut(again, hit);
      continue;
    }
    EXPECT_EQ(opened.error().code, ErrorCode::kCorruption) << opened.error().message;
    EXPECT_THAT(opened.error().message, HasSubstr(first ? "damage in file '" + name + "' at offset" : key));
    expect_rest_saved(disk, hit);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedDatabase, ::testing::Range(std::size_t{0}, kFiles));

class MissingFile : public DamagedDatabase {};

TEST_P(MissingFile, IsNoticed) {
  Objects fewer = objects_;
  fewer.erase(log_files()[GetParam()]);
  CopiedDisk disk(fewer);
  const auto opened = disk.open(keep_all());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption) << opened.error().message;
  const auto found = verify(disk.surroundings(), false);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->is_sound());
  const auto repaired = verify(disk.surroundings(), true);
  ASSERT_TRUE(repaired) << repaired.error().message;
  EXPECT_TRUE(repaired->is_sound());
  EXPECT_THAT(repaired->log->lost, Not(IsEmpty()));
  reopen(disk, nullptr);
}

// The oldest file, and START.
INSTANTIATE_TEST_SUITE_P(Beginning, MissingFile, ::testing::Values(std::size_t{0}, kFiles - 1));

}  // namespace
}  // namespace marigram::db::testing
