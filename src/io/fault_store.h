// A store that fails or loses power at a chosen storage call: the instrument of the crash tests.
//
// It keeps two states: what the machine sees, and what the platter holds. Each mutating call is made of the steps that
// the local store takes (create temporary, write, fsync file, rename/link, fsync folder, unlink, make folder), and each
// step is one *point*. At the chosen point the call fails with an I/O error (kFail), or the power goes (kPowerCut):
// from then on every call fails until restart(), which returns a store holding what survived. What was not synced
// survives or not, piece by piece (bytes in 512-byte sectors, renames, folder entries), as drawn from the seed. The
// store is the local store's own code over a simulated file system (simulated_disk.h says what it may lose), so that
// the sequence of steps that is tested is the one that runs.
#pragma once

#include "io/object_store.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace marigram {
class Clock;
}

namespace marigram::io {

class FaultStore : public ObjectStore {
 public:
  /// kFailOnce, kFailSticky: the step fails with an I/O error, and for kFailSticky every later step too; reads go on.
  /// A sync that fails so loses what it was to save (a store refuses changes afterwards; see reopen()).
  /// kNoSpaceOnce: the step fails for lack of space. kPowerCut: the step may be done or not, then all is dark.
  /// kKill: the process dies before the step; no call does anything any more, and the disk is well: go on with
  /// reopen().
  enum class Mode { kFailOnce, kFailSticky, kNoSpaceOnce, kPowerCut, kKill };

  /// Steps taken so far.
  virtual std::uint64_t points() const = 0;
  /// Arms a fault at step number `point` (counted from now, first = 0). Replaces what was armed.
  virtual void arm(Mode mode, std::uint64_t point, std::uint64_t seed) = 0;
  virtual void disarm() = 0;
  /// Whether the fault that was armed last has struck.
  virtual bool fired() const = 0;
  /// A deliberate defect in the disk, to prove that the tests notice: syncs that do nothing.
  virtual void skip_file_sync(bool skip) = 0;
  virtual void skip_folder_sync(bool skip) = 0;
  /// After a power cut (it happens now if it has not yet): a new store over what survived, as drawn from the seed armed
  /// last. This one stays dark.
  virtual std::shared_ptr<FaultStore> restart() = 0;
  /// A new store over what the machine sees now, as after the death of the process: the same disk, with its points and
  /// its defects; what was armed is disarmed. Let go of all that the old store has opened before.
  virtual std::shared_ptr<FaultStore> reopen() = 0;
};

/// An empty fault store; `clock` is borrowed.
std::shared_ptr<FaultStore> make_fault_store(const Clock& clock);

}  // namespace marigram::io
