// Names as folders: no two alike, none outside. Without this test a table called "../x" could be written anywhere.
#include "db/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace marigram::db {
namespace {

using ::testing::HasSubstr;

TEST(Names, PlainOnesStayAsTheyAre) {
  for (const std::string name : {"cpu", "a.b", "X-1_y", "0"}) EXPECT_EQ(folder_of_name(name, "table").value(), name);
}

TEST(Names, NoneLeadsOutside) {
  EXPECT_EQ(folder_of_name("..", "table").value(), "%2E.");
  EXPECT_EQ(folder_of_name("../x", "table").value(), "%2E.%2Fx");
  EXPECT_EQ(folder_of_name("/etc", "table").value(), "%2Fetc");
  EXPECT_EQ(folder_of_name("a b%\n", "table").value(), "a%20b%25%0A");
  EXPECT_EQ(folder_of_name("Ä", "table").value(), "%C3%84");
}

TEST(Names, BadOnesAreRefused) {
  const auto message = [](std::string_view name) {
    const auto folder = folder_of_name(name, "table");
    EXPECT_FALSE(folder);
    return folder ? std::string() : folder.error().message;
  };
  EXPECT_THAT(message(""), HasSubstr("it is empty"));
  EXPECT_THAT(message(std::string_view("a\0b", 3)), HasSubstr("NUL"));
  EXPECT_THAT(message("\xff"), HasSubstr("not UTF-8"));
  EXPECT_THAT(message(std::string(241, 'a')), HasSubstr("241 bytes"));
  EXPECT_THAT(message(std::string(100, ' ')), HasSubstr("300 bytes"));
  EXPECT_TRUE(folder_of_name(std::string(240, 'a'), "table"));
}

TEST(Names, ComeBack) {
  std::mt19937 random(1);
  std::set<std::string> folders;
  std::set<std::string> names;
  for (int i = 0; i < 5'000; ++i) {
    std::string name;
    for (std::size_t length = 1 + random() % 4; name.size() < length;) name += static_cast<char>(1 + random() % 126);
    const std::string folder = folder_of_name(name, "table").value();
    EXPECT_EQ(name_of_folder(folder), name);
    names.insert(name);
    folders.insert(folder);
  }
  EXPECT_EQ(folders.size(), names.size());
  for (const std::string folder : {"", ".", "..", "%", "%4", "%41", "%2e", "a/b", "%zz", "a b"}) {
    EXPECT_EQ(name_of_folder(folder), std::nullopt) << folder;
  }
}

}  // namespace
}  // namespace marigram::db
