// Objects in memory, with the same contract: for tests and for "memory:" tables.
#pragma once

#include "io/object_store.h"

#include <memory>

namespace marigram {
class Clock;
}

namespace marigram::io {

/// An empty store; `clock` (borrowed, must outlive it) stamps the objects.
std::shared_ptr<ObjectStore> make_memory_store(const Clock& clock);

}  // namespace marigram::io
