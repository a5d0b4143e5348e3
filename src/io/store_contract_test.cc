// The contract of object_store.h, once for every store. Without this test the log could be right over one store and
// wrong over another: each of its promises rests on what is checked here.
#include "base/manual_clock.h"
#include "io/object_key.h"
#include "io/object_store.h"
#include "io/test_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace marigram::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string bytes_of_every_kind(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 + (i >> 8) * 17);
  return bytes;
}

class StoreContract : public ::testing::TestWithParam<StoreMaker> {
 protected:
  StoreContract() : under_test_(GetParam().make(clock_)), store_(*under_test_.store) {}

  std::vector<std::string> keys(std::string_view prefix = "") const {
    std::vector<std::string> keys;
    const auto listed = store_.list(prefix).value();
    for (const ObjectInfo& info : listed) keys.push_back(info.key);
    return keys;
  }

  std::string content(std::string_view key) const {
    auto object = store_.read(key);
    return object ? object->bytes : std::string("error ") + error_code_name(object.error().code);
  }

  ManualClock clock_;
  StoreUnderTest under_test_;
  ObjectStore& store_;
};

template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, const std::string& text = "") {
  ASSERT_FALSE(result);
  EXPECT_STREQ(error_code_name(result.error().code), error_code_name(code)) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(text));
}

TEST_P(StoreContract, AnEmptyStoreHoldsNothing) {
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(keys("a/b"), IsEmpty());
  expect_error(store_.head("a"), ErrorCode::kNotFound, "'a'");
  expect_error(store_.read("a/b"), ErrorCode::kNotFound, "'a/b'");
  expect_error(store_.open("a"), ErrorCode::kNotFound, store_.name());
  expect_error(store_.remove("a"), ErrorCode::kNotFound);
  expect_error(store_.in_use("a"), ErrorCode::kNotFound);
  EXPECT_THAT(store_.sweep_unfinished(clock_.now(), false).value(), IsEmpty());
  EXPECT_TRUE(store_.check_writable());
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(StoreContract, WhatIsPutIsRead) {
  for (const std::size_t size : {0, 1, 511, 512, 513, 16'384, 100'000, 3'000'000}) {
    const std::string key = "some/folder/of size " + std::to_string(size);
    const std::string bytes = bytes_of_every_kind(size);
    const ObjectInfo info = store_.put(key, bytes).value();
    EXPECT_EQ(info.key, key);
    EXPECT_EQ(info.size, size);
    const ObjectContent read = store_.read(key).value();
    EXPECT_TRUE(read.bytes == bytes) << size;
    for (const ObjectInfo& seen : {read.info, store_.head(key).value(), store_.list(key).value().at(0)}) {
      EXPECT_EQ(seen.key, key);
      EXPECT_EQ(seen.size, size);
      EXPECT_EQ(seen.version, info.version);
      EXPECT_EQ(seen.modified, info.modified);
    }
    EXPECT_FALSE(store_.in_use(key).value());
  }
}

TEST_P(StoreContract, PutReplacesWithANewVersionEachTime) {
  // Sizes repeat and the clock of some stores stands still: neither may bring a version back.
  std::set<std::string> versions;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = std::to_string(100 + i % 7);
    versions.insert(store_.put("a", bytes).value().version);
    ASSERT_EQ(content("a"), bytes);
  }
  EXPECT_EQ(versions.size(), 300u);
  EXPECT_THAT(keys(), ElementsAre("a"));
}

TEST_P(StoreContract, IfAbsentPutsOnce) {
  ASSERT_TRUE(store_.put("a/1", "first", PutCondition::if_absent()));
  expect_error(store_.put("a/1", "second", PutCondition::if_absent()), ErrorCode::kAlreadyExists, "'a/1'");
  EXPECT_EQ(content("a/1"), "first");
  ASSERT_TRUE(store_.remove("a/1"));
  ASSERT_TRUE(store_.put("a/1", "third", PutCondition::if_absent()));
  EXPECT_EQ(content("a/1"), "third");
  EXPECT_THAT(keys(), ElementsAre("a/1"));
}

TEST_P(StoreContract, IfMatchPutsOnTheVersionItKnows) {
  expect_error(store_.put("a", "0", PutCondition::if_match("1")), ErrorCode::kConflict, "'a'");
  EXPECT_THAT(keys(), IsEmpty());
  const std::string first = store_.put("a", "1").value().version;
  const std::string second = store_.put("a", "2", PutCondition::if_match(first)).value().version;
  EXPECT_NE(first, second);
  expect_error(store_.put("a", "3", PutCondition::if_match(first)), ErrorCode::kConflict, first);
  expect_error(store_.put("a", "3", PutCondition::if_match("")), ErrorCode::kConflict);
  EXPECT_EQ(content("a"), "2");
  ASSERT_TRUE(store_.put("a", "3", PutCondition::if_match(second)));
  EXPECT_EQ(content("a"), "3");
  ASSERT_TRUE(store_.remove("a"));
  expect_error(store_.put("a", "4", PutCondition::if_match(second)), ErrorCode::kConflict);
}

TEST_P(StoreContract, IfMatchNeverComesBackToAnOldVersion) {
  // The ABA case: what was read is replaced twice by something of the same size.
  for (int i = 0; i < 50; ++i) {
    const std::string read = store_.put("CURRENT", "5\n").value().version;
    const std::string next = store_.put("CURRENT", "6\n", PutCondition::if_match(read)).value().version;
    ASSERT_TRUE(store_.put("CURRENT", "7\n", PutCondition::if_match(next)));
    expect_error(store_.put("CURRENT", "6\n", PutCondition::if_match(read)), ErrorCode::kConflict);
    ASSERT_EQ(content("CURRENT"), "7\n");
  }
}

TEST_P(StoreContract, PiecesAppearTogetherAtFinish) {
  const std::string bytes = bytes_of_every_kind(1'500'000);
  auto object = store_.create("a/pieces").value();
  std::mt19937 random(7);
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t piece =
        std::min<std::size_t>(bytes.size() - done, random() % 2 ? random() % 9 : random() % 400'000);
    ASSERT_TRUE(object->write(bytes_of(bytes).subspan(done, piece)));
    done += piece;
    ASSERT_THAT(keys(), IsEmpty());
  }
  expect_error(store_.head("a/pieces"), ErrorCode::kNotFound);
  ASSERT_TRUE(object->finish());
  EXPECT_TRUE(content("a/pieces") == bytes);
  expect_error(object->finish(), ErrorCode::kInternal);
  expect_error(object->write(bytes_of("more")), ErrorCode::kInternal);
  object.reset();
  EXPECT_TRUE(content("a/pieces") == bytes);
}

TEST_P(StoreContract, PiecesThatAreNotFinishedAreGone) {
  {
    auto object = store_.create("a/b").value();
    ASSERT_TRUE(object->write(bytes_of(bytes_of_every_kind(600'000))));
  }
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(store_.sweep_unfinished(Instant{std::numeric_limits<std::int64_t>::max(), 0}, true).value(), IsEmpty());
}

TEST_P(StoreContract, PiecesKeepTheirCondition) {
  auto first = store_.create("a", PutCondition::if_absent()).value();
  auto second = store_.create("a", PutCondition::if_absent()).value();
  ASSERT_TRUE(first->write(bytes_of("first")));
  ASSERT_TRUE(second->write(bytes_of("second")));
  ASSERT_TRUE(second->finish());
  expect_error(first->finish(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(content("a"), "second");
  auto third = store_.create("a").value();
  ASSERT_TRUE(third->finish());
  EXPECT_EQ(content("a"), "");
  expect_error(store_.create("a", PutCondition::if_match("1")), ErrorCode::kInvalidInput, "if_match");
}

TEST_P(StoreContract, KeysThatAreNotCanonicalTouchNothing) {
  for (const std::string& key :
       {std::string(""), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."),
        std::string(".."), std::string("../a"), std::string("a/../b"), std::string("a/./b"), std::string("a\0b", 3),
        std::string(256, 'x'), make_temporary_name(), "a/" + make_temporary_name()}) {
    expect_error(store_.head(key), ErrorCode::kInvalidInput);
    expect_error(store_.read(key), ErrorCode::kInvalidInput);
    expect_error(store_.open(key), ErrorCode::kInvalidInput);
    expect_error(store_.put(key, "x"), ErrorCode::kInvalidInput);
    expect_error(store_.create(key), ErrorCode::kInvalidInput);
    expect_error(store_.remove(key), ErrorCode::kInvalidInput);
    expect_error(store_.in_use(key), ErrorCode::kInvalidInput);
    if (!key.empty()) expect_error(store_.list(key), ErrorCode::kInvalidInput);
  }
  EXPECT_THAT(keys(), IsEmpty());
  if (under_test_.folder) {
    EXPECT_TRUE(std::filesystem::is_empty(under_test_.folder->path()));
  }
}

TEST_P(StoreContract, ListsWholePartsInKeyOrder) {
  for (const char* key :
       {"data/x", "data2/x", "data-x", "data.x", "data/a/b", "data/a-b", "dat", "z", "A", "data/\xFF"}) {
    ASSERT_TRUE(store_.put(key, key));
  }
  EXPECT_THAT(keys(), ElementsAre("A", "dat", "data-x", "data.x", "data/a-b", "data/a/b", "data/x", "data/\xFF",
                                  "data2/x", "z"));
  EXPECT_THAT(keys("data"), ElementsAre("data/a-b", "data/a/b", "data/x", "data/\xFF"));
  EXPECT_THAT(keys("data/a"), ElementsAre("data/a/b"));
  EXPECT_THAT(keys("data/a/b"), ElementsAre("data/a/b"));
  EXPECT_THAT(keys("data/a/b/c"), IsEmpty());
  EXPECT_THAT(keys("dat"), ElementsAre("dat"));
  EXPECT_THAT(keys("da"), IsEmpty());
}

TEST_P(StoreContract, RemovesOnce) {
  ASSERT_TRUE(store_.put("a/b/c", "1"));
  ASSERT_TRUE(store_.put("a/b/d", "2"));
  ASSERT_TRUE(store_.remove("a/b/c"));
  expect_error(store_.remove("a/b/c"), ErrorCode::kNotFound, "'a/b/c'");
  expect_error(store_.read("a/b/c"), ErrorCode::kNotFound);
  EXPECT_THAT(keys(), ElementsAre("a/b/d"));
}

TEST_P(StoreContract, AKeyIsAnObjectOrAFolder) {
  ASSERT_TRUE(store_.put("a/b/c", "1"));
  for (const PutCondition& condition : {PutCondition::none(), PutCondition::if_absent(), PutCondition::if_match("1")}) {
    expect_error(store_.put("a/b", "x", condition), ErrorCode::kInvalidInput, "'a/b'");
    expect_error(store_.put("a/b/c/d", "x", condition), ErrorCode::kInvalidInput, "'a/b/c/d'");
    expect_error(store_.put("a/b/c/d/e", "x", condition), ErrorCode::kInvalidInput);
  }
  for (const char* key : {"a", "a/b", "a/b/c/d", "a/b/c/d/e"}) {
    expect_error(store_.head(key), ErrorCode::kNotFound);
    expect_error(store_.read(key), ErrorCode::kNotFound);
    expect_error(store_.open(key), ErrorCode::kNotFound);
    expect_error(store_.in_use(key), ErrorCode::kNotFound);
    expect_error(store_.remove(key), ErrorCode::kNotFound);
  }
  EXPECT_THAT(keys(), ElementsAre("a/b/c"));
  EXPECT_EQ(content("a/b/c"), "1");
}

TEST_P(StoreContract, ReadsRangesAndNothingBeyondTheEnd) {
  const std::string bytes = bytes_of_every_kind(70'000);
  ASSERT_TRUE(store_.put("a", bytes));
  const auto object = store_.open("a").value();
  EXPECT_EQ(object->size(), bytes.size());
  const auto read = [&](std::uint64_t offset, std::size_t length) -> Result<std::string> {
    std::string out(length, '?');
    const Status status = object->read_at(offset, std::as_writable_bytes(std::span(out)));
    if (!status) return std::unexpected(status.error());
    return out;
  };
  for (const auto& [offset, length] : std::vector<std::pair<std::uint64_t, std::size_t>>{
           {0, 0}, {0, 70'000}, {1, 1}, {69'999, 1}, {70'000, 0}, {12'345, 50'000}}) {
    EXPECT_TRUE(read(offset, length).value() == bytes.substr(offset, length)) << offset;
  }
  for (const std::uint64_t offset : {std::uint64_t{69'999}, std::uint64_t{70'000}, std::uint64_t{70'001},
                                     std::uint64_t{1} << 63, std::numeric_limits<std::uint64_t>::max()}) {
    expect_error(read(offset, 2), ErrorCode::kCorruption, "70000");
  }
  expect_error(read(0, 70'001), ErrorCode::kCorruption, "'a'");
}

TEST_P(StoreContract, MapsWholeObjects) {
  const std::string bytes = bytes_of_every_kind(50'000);
  ASSERT_TRUE(store_.put("a", bytes));
  ASSERT_TRUE(store_.put("empty", ""));
  auto object = store_.open("a").value();
  const auto mapping = object->map().value();
  object.reset();  // a mapping stands on its own
  EXPECT_TRUE(std::ranges::equal(mapping->bytes(), bytes_of(bytes)));
  EXPECT_TRUE(store_.open("empty").value()->map().value()->bytes().empty());
}

TEST_P(StoreContract, OpenObjectsOutliveTheirKey) {
  ASSERT_TRUE(store_.put("replaced", "old"));
  ASSERT_TRUE(store_.put("removed", "old"));
  const auto replaced = store_.open("replaced").value();
  const auto removed = store_.open("removed").value();
  const auto mapping = removed->map().value();
  ASSERT_TRUE(store_.put("replaced", "new and longer"));
  ASSERT_TRUE(store_.remove("removed"));
  for (const auto* object : {&replaced, &removed}) {
    std::string out(3, '?');
    ASSERT_TRUE((*object)->read_at(0, std::as_writable_bytes(std::span(out))));
    EXPECT_EQ(out, "old");
    EXPECT_EQ((*object)->size(), 3u);
  }
  EXPECT_TRUE(std::ranges::equal(mapping->bytes(), bytes_of("old")));
}

TEST_P(StoreContract, SweepLeavesObjectsAlone) {
  ASSERT_TRUE(store_.put("a", "1"));
  auto unfinished = store_.create("b").value();
  ASSERT_TRUE(unfinished->write(bytes_of("2")));
  EXPECT_THAT(store_.sweep_unfinished(Instant{}, false).value(), IsEmpty());  // nothing is older than 1970
  ASSERT_TRUE(unfinished->finish());
  EXPECT_THAT(store_.sweep_unfinished(Instant{std::numeric_limits<std::int64_t>::max(), 0}, false).value(), IsEmpty());
  EXPECT_THAT(keys(), ElementsAre("a", "b"));
}

/// A store that cannot be wrong.
class Model {
 public:
  Status put(const std::string& key, const std::string& bytes, const PutCondition& condition) {
    const auto found = objects_.find(key);
    if (condition.kind == PutCondition::Kind::kIfAbsent && found != objects_.end()) {
      return fail(ErrorCode::kAlreadyExists, "");
    }
    if (condition.kind == PutCondition::Kind::kIfMatch &&
        (found == objects_.end() || versions_[key] != condition.version)) {
      return fail(ErrorCode::kConflict, "");
    }
    objects_[key] = bytes;
    return {};
  }
  Status remove(const std::string& key) {
    versions_.erase(key);
    return objects_.erase(key) == 1 ? Status() : fail(ErrorCode::kNotFound, "");
  }

  std::map<std::string, std::string> objects_;
  std::map<std::string, std::string> versions_;  // as the store under test named them
};

TEST_P(StoreContract, AgreesWithAPlainMapOverRandomCalls) {
  std::mt19937 random(20'231'107);
  const auto pick = [&random](std::size_t bound) { return random() % bound; };
  const std::vector<std::string> all = {"a", "b/c", "b/d", "b/e/f", "g/h/i/j"};
  Model model;
  for (int i = 0; i < 600; ++i) {
    const std::string& key = all[pick(all.size())];
    const std::string bytes = bytes_of_every_kind(pick(4) == 0 ? pick(40'000) : pick(10));
    PutCondition condition;
    if (pick(3) == 0) condition = PutCondition::if_absent();
    if (pick(3) == 0) condition = PutCondition::if_match(pick(4) == 0 ? "stale" : model.versions_[key]);
    if (pick(4) == 0) {
      const Status got = store_.remove(key);
      const Status want = model.remove(key);
      ASSERT_EQ(got.has_value(), want.has_value());
    } else if (pick(4) == 0 && condition.kind != PutCondition::Kind::kIfMatch) {
      auto object = store_.create(key, condition).value();
      ASSERT_TRUE(object->write(bytes_of(bytes)));
      ASSERT_EQ(object->finish().has_value(), model.put(key, bytes, condition).has_value());
    } else {
      const auto got = store_.put(key, bytes, condition);
      const Status want = model.put(key, bytes, condition);
      ASSERT_EQ(got.has_value(), want.has_value());
      ASSERT_TRUE(got || got.error().code == want.error().code);
    }
    const auto head = store_.head(key);
    ASSERT_EQ(head.has_value(), model.objects_.contains(key));
    if (head) {
      ASSERT_TRUE(store_.read(key).value().bytes == model.objects_[key]);
      model.versions_[key] = head->version;
    }
    if (i % 50 == 0) {
      std::vector<std::string> want;
      for (const auto& [known, content] : model.objects_) want.push_back(known);
      ASSERT_EQ(keys(), want);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract, all_stores(), name_of_store);

}  // namespace
}  // namespace marigram::io
