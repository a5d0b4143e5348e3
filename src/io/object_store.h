// The only door to storage. An ObjectStore holds objects (whole files) under relative keys `a/b/c`.
//
// Contract, the same for every implementation and checked by one test body:
// - A key is canonical: parts joined by `/`, no empty part, no `.` or `..`, no leading `/`, no NUL, no part of the form
//   `.tmp-<uuid>`, at most 255 bytes a part and 1,024 in all; anything else is kInvalidInput and touches nothing. A
//   symbolic link that leads outside the root is kPermissionDenied.
// - A key is an object or a folder of others, not both: with an object `a`, to put `a/b` is kInvalidInput, and the
//   reverse. Empty folders are not listed; a store of files may keep one and refuse an object in its place.
// - A put is atomic with its content: a reader sees the old object, or the new one whole, never a part; when it
//   returns, the object and its name are on stable storage (fsync of the file and of the folders made or changed).
// - After an error a put may or may not have happened as a whole (a lost reply). Callers that must know put again
//   if_absent, and read back on kAlreadyExists: only then is the name that they find known to last.
// - After a sync to stable storage failed (not for lack of space), the store takes no further change (kIo): what the
//   operating system reports after that is not to be relied on. Open it anew, and check the disk.
// - Errors: kNotFound, kAlreadyExists (kIfAbsent lost), kConflict (kIfMatch lost), kPermissionDenied,
//   kResourceExhausted (no space, quota), kIo. Messages name the key and the root.
// - Thread-safe, and safe between processes.
#pragma once

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::io {

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  Instant modified;     ///< the store's clock; a store of files moves it past that of the object that was replaced
  std::string version;  ///< opaque; differs between any two contents the key has held; for PutCondition::if_match
};

/// Under which circumstances a put may replace what is there.
struct PutCondition {
  enum class Kind { kNone, kIfAbsent, kIfMatch };

  Kind kind = Kind::kNone;
  std::string version;  ///< for kIfMatch

  static PutCondition none() { return {}; }
  static PutCondition if_absent() { return {Kind::kIfAbsent, {}}; }
  static PutCondition if_match(std::string version) { return {Kind::kIfMatch, std::move(version)}; }
};

/// Immutable bytes of (a range of) an object, mapped or in memory; unmapped when destroyed. Thread-safe.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual std::span<const std::byte> bytes() const = 0;
  /// Whether all that was read is what the object had. If another process has cut its file short, what is gone reads as
  /// zeros (mapping_guard.h): whoever reads asks this afterwards. Not noticed: fewer bytes than a page that were zero.
  virtual bool is_whole() const = 0;
  /// That part is read soon. Only a hint.
  virtual void will_need(std::uint64_t /*offset*/, std::uint64_t /*length*/) const {}
};

/// An object opened for random reads; stays readable if the key is removed or replaced meanwhile.
class ReadableObject {
 public:
  virtual ~ReadableObject() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills all of `out` from `offset`; kCorruption if the object ends before.
  virtual Status read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
  virtual Result<std::unique_ptr<Mapping>> map() const = 0;
};

/// An object being written in pieces. It appears under its key at finish(), or never.
class WritableObject {
 public:
  virtual ~WritableObject() = default;  ///< discards what was written unless finish() succeeded
  virtual Status write(std::span<const std::byte> bytes) = 0;
  /// Publishes durably under the condition given at create(). To be called once.
  virtual Status finish() = 0;
};

struct ObjectContent {
  std::string bytes;
  ObjectInfo info;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Where this is, for messages.
  virtual std::string name() const = 0;

  virtual Result<ObjectInfo> head(std::string_view key) const = 0;
  virtual Result<ObjectContent> read(std::string_view key) const = 0;
  virtual Result<std::unique_ptr<ReadableObject>> open(std::string_view key) const = 0;
  /// All objects whose key starts with `prefix` (whole parts: "data" lists data/x, not data2/x; "" lists all), in key
  /// order. Objects being written are not listed.
  virtual Result<std::vector<ObjectInfo>> list(std::string_view prefix) const = 0;

  virtual Result<ObjectInfo> put(std::string_view key, std::string_view bytes,
                                 const PutCondition& condition = PutCondition::none()) = 0;
  /// kNone or kIfAbsent only.
  virtual Result<std::unique_ptr<WritableObject>> create(std::string_view key,
                                                         const PutCondition& condition = PutCondition::none()) = 0;
  /// kNotFound if absent. Durable when it returns.
  virtual Status remove(std::string_view key) = 0;

  /// Whether some process may still be writing the object in place, as far as this host can tell (foreign writers do
  /// so; ours never do). Stores whose writers are all atomic answer false.
  virtual Result<bool> in_use(std::string_view key) const = 0;

  /// Leftovers of interrupted puts that are older than `cutoff`: removed unless `dry_run`; returns what they were.
  virtual Result<std::vector<ObjectInfo>> sweep_unfinished(Instant cutoff, bool dry_run) = 0;

  /// kPermissionDenied or kIo when nothing can be written here; changes nothing.
  virtual Status check_writable() const = 0;
};

}  // namespace marigram::io
