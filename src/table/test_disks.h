// A machine with two disks that may fail: one for a table's folder, one for its cold segments.
#pragma once

#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "io/fault_store.h"
#include "io/split_store.h"
#include "model/tiers.h"
#include "table/environment.h"

#include <memory>
#include <string>

namespace marigram::table::testing {

class Disks {
 public:
  explicit Disks(const Clock& clock) : main_(io::make_fault_store(clock)), cold_(io::make_fault_store(clock)) {}

  /// For the store as it is now; `clock` and `pool` are borrowed.
  Environment environment(const Clock& clock, ThreadPool& pool) const {
    const auto split = std::make_shared<io::SplitStore>(main_, std::string(model::kColdFolder),
                                                        [cold = cold_](const std::string&) { return cold; });
    return {.store = split, .clock = &clock, .pool = &pool, .cold = split};
  }

  io::FaultStore& main() { return *main_; }
  io::FaultStore& cold() { return *cold_; }
  bool fired() const { return main_->fired() || cold_->fired(); }

  /// Both lose their power, if they have not yet, and are there again with what survived.
  void restart() {
    main_ = main_->restart();
    cold_ = cold_->restart();
  }
  /// As after the death of the process.
  void reopen() {
    main_ = main_->reopen();
    cold_ = cold_->reopen();
  }

 private:
  std::shared_ptr<io::FaultStore> main_;
  std::shared_ptr<io::FaultStore> cold_;
};

}  // namespace marigram::table::testing
