// A second key for an object, also in another store: what is written once may lie in several folders without being
// copied, and is gone when the last of them is.
#pragma once

#include "io/object_store.h"

#include <marigram/error.h>

#include <string_view>

namespace marigram::io {

/// What a store can do whose objects may have several keys.
class LinkingStore {
 public:
  virtual ~LinkingStore() = default;
  /// See link_object.
  virtual Result<bool> link(std::string_view key, const ReadableObject& object) = 0;
};

/// Puts an open object of any store under a key, as by if_absent, without copying it: neither key depends on the other
/// afterwards. For objects that are never changed in place; the version that their store tells of them may change.
/// False: not between these stores (of two file systems, in memory) or not for this object; nothing was done, copy it.
/// kAlreadyExists, and what a put may end in.
Result<bool> link_object(ObjectStore& store, std::string_view key, const ReadableObject& object);

}  // namespace marigram::io
