// What the store in memory adds to the contract (store_contract_test.cc): the clock's times. Without this test code
// that judges objects by their age would be tested on wrong ages.
#include "io/memory_store.h"

#include "base/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace marigram::io {
namespace {

TEST(MemoryStore, StampsObjectsByTheClock) {
  ManualClock clock(Instant{100, 5});
  const auto store = make_memory_store(clock);
  ASSERT_TRUE(store->put("a", "1"));
  clock.advance(std::chrono::seconds(7));
  ASSERT_TRUE(store->put("b", "2"));
  EXPECT_EQ(store->head("a").value().modified, (Instant{100, 5}));
  EXPECT_EQ(store->head("b").value().modified, (Instant{107, 5}));
  EXPECT_EQ(store->name(), "memory");
}

TEST(MemoryStore, ObjectsBeingWrittenOutliveTheStore) {
  ManualClock clock;
  auto store = make_memory_store(clock);
  auto object = store->create("a").value();
  store.reset();
  EXPECT_TRUE(object->finish());
}

}  // namespace
}  // namespace marigram::io
