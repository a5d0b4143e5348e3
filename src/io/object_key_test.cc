// Keys become paths. Without this test a key that climbs out of the store, or that a reader takes for a temporary file,
// could be accepted, and a prefix could match half a name.
#include "io/object_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>

namespace marigram::io {
namespace {

using ::testing::HasSubstr;

TEST(ObjectKey, TakesWhatIsCanonical) {
  for (const std::string& key :
       {std::string("a"), std::string("a/b/c"), std::string("_timeseries_log/0000000001.json"), std::string("..."),
        std::string(".hidden"), std::string("a/..b"), std::string("a b"), std::string("a\\b"),
        std::string("\xC3\xA9t\xC3\xA9"), std::string(".tmp-"), std::string(".tmp-CURRENT"), std::string(255, 'x'),
        std::string(255, 'x') + "/" + std::string(255, 'y')}) {
    EXPECT_TRUE(check_key(key, "store")) << key;
  }
}

TEST(ObjectKey, RefusesTheRestAndSaysWhy) {
  std::string long_key = "a";
  while (long_key.size() <= kKeyBytesMax) long_key += "/a";
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty"},
      {"/", "part is empty"},
      {"/a", "part is empty"},
      {"a/", "part is empty"},
      {"a//b", "part is empty"},
      {".", "part is '.'"},
      {"..", "part is '..'"},
      {"a/./b", "part is '.'"},
      {"a/../b", "part is '..'"},
      {"a/..", "part is '..'"},
      {"../a", "part is '..'"},
      {std::string("a\0b", 3), "NUL"},
      {std::string("\0", 1), "NUL"},
      {std::string(256, 'x'), "256 bytes"},
      {long_key, "1025 bytes"},
      {"a/" + make_temporary_name(), "temporary"},
      {make_temporary_name() + "/a", "temporary"},
  };
  for (const auto& [key, why] : cases) {
    const Status status = check_key(key, "the-store");
    ASSERT_FALSE(status) << key;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(status.error().message, HasSubstr(why));
    EXPECT_THAT(status.error().message, HasSubstr("the-store"));
  }
  EXPECT_TRUE(check_prefix("", "store"));
  EXPECT_TRUE(check_prefix("a/b", "store"));
  EXPECT_FALSE(check_prefix("a/", "store"));
}

TEST(ObjectKey, FolderAndName) {
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("c"), "");
  EXPECT_EQ(name_of("a/b/c"), "c");
  EXPECT_EQ(name_of("c"), "c");
}

TEST(ObjectKey, PrefixesMatchWholeParts) {
  EXPECT_TRUE(is_under("data/x", "data"));
  EXPECT_TRUE(is_under("data", "data"));
  EXPECT_TRUE(is_under("data/x", ""));
  EXPECT_FALSE(is_under("data2/x", "data"));
  EXPECT_FALSE(is_under("dat", "data"));
  EXPECT_FALSE(is_under("x/data", "data"));
}

TEST(ObjectKey, TemporaryNamesAreKnown) {
  const std::string name = make_temporary_name();
  EXPECT_TRUE(is_temporary_name(name));
  EXPECT_NE(name, make_temporary_name());
  EXPECT_FALSE(is_temporary_name(name + "x"));
  EXPECT_FALSE(is_temporary_name(name.substr(1)));
  EXPECT_FALSE(is_temporary_name(".tmp-00000000-0000-4000-8000-00000000000G"));
  EXPECT_FALSE(is_temporary_name("CURRENT.tmp"));
}

RC_GTEST_PROP(ObjectKeyProperty, AnAcceptedKeyIsTakenApartAndPutTogether, (const std::string& text)) {
  std::string key = text;
  for (char& c : key) {
    if (*rc::gen::inRange(0, 4) == 0) c = '/';
  }
  if (check_key(key, "store")) {
    RC_ASSERT(key.find("//") == std::string::npos);
    RC_ASSERT(key.front() != '/');
    RC_ASSERT(key.back() != '/');
    const std::string folder(folder_of(key));
    RC_ASSERT((folder.empty() ? std::string() : folder + "/") + std::string(name_of(key)) == key);
    RC_ASSERT(is_under(key, folder));
  }
}

}  // namespace
}  // namespace marigram::io
