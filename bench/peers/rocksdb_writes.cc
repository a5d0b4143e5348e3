// RocksDB under the load of the write benches: a key is a series' number and a time, big-endian, so that a series lies
// together; a batch is a WriteBatch. The tags are no concern of it: a program above would keep them.
#include "measure.h"
#include "write_load.h"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <bit>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace marigram::bench {
namespace {

void need(const rocksdb::Status& status) {
  if (!status.ok()) stop(status.ToString());
}

using Key = std::array<char, 12>;

Key key_of(const Sample& sample) {
  const auto series = __builtin_bswap32(static_cast<std::uint32_t>(sample.series));
  const auto time = __builtin_bswap64(static_cast<std::uint64_t>(sample.time_ns));
  Key key{};
  std::memcpy(key.data(), &series, sizeof series);
  std::memcpy(key.data() + sizeof series, &time, sizeof time);
  return key;
}

class RocksWriter : public Writer {
 public:
  RocksWriter(rocksdb::DB& database, WriteDurability durability) : database_(&database) {
    options_.disableWAL = durability == WriteDurability::kNone;
    options_.sync = durability == WriteDurability::kSync;
  }

  void write(std::span<const Sample> batch) override {
    batch_.Clear();
    for (const Sample& sample : batch) {
      const Key key = key_of(sample);
      const auto value = std::bit_cast<std::array<char, sizeof sample.value>>(sample.value);
      need(batch_.Put(rocksdb::Slice(key.data(), key.size()), rocksdb::Slice(value.data(), value.size())));
    }
    need(database_->Write(options_, &batch_));
  }

 private:
  rocksdb::DB* database_;
  rocksdb::WriteOptions options_;
  rocksdb::WriteBatch batch_;
};

class RocksStore : public Store {
 public:
  explicit RocksStore(const Load& load) : durability_(load.durability) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.IncreaseParallelism();
    rocksdb::DB* database = nullptr;
    need(rocksdb::DB::Open(options, (load.folder / "rocksdb").string(), &database));
    database_.reset(database);
    if (durability_ == WriteDurability::kInterval)
      syncer_ = std::jthread([this](const std::stop_token& end) { sync(end); });
  }

  std::string setting() const override {
    switch (durability_) {
      case WriteDurability::kNone:
        return "disableWAL";
      case WriteDurability::kInterval:
        return "SyncWAL every 100 ms";
      case WriteDurability::kSync:
        return "sync";
    }
    return "";
  }
  std::unique_ptr<Writer> writer() override { return std::make_unique<RocksWriter>(*database_, durability_); }
  Totals totals() override {
    Totals totals;
    const std::unique_ptr<rocksdb::Iterator> rows(database_->NewIterator(rocksdb::ReadOptions()));
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      double value = 0;
      std::memcpy(&value, rows->value().data(), sizeof value);
      ++totals.points;
      totals.sum += value;
    }
    need(rows->status());
    return totals;
  }

 private:
  void sync(const std::stop_token& end) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    while (!woken.wait_for(lock, end, kSyncInterval, [&] { return end.stop_requested(); })) need(database_->SyncWAL());
  }

  WriteDurability durability_;
  std::unique_ptr<rocksdb::DB> database_;
  std::jthread syncer_;
};

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run_write_load(argc, argv, [](const marigram::bench::Load& load) {
    return std::make_unique<marigram::bench::RocksStore>(load);
  });
}
