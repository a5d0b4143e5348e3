#include "io/link_object.h"

#include "base/try.h"
#include "io/object_key.h"

namespace marigram::io {

Result<bool> link_object(ObjectStore& store, std::string_view key, const ReadableObject& object) {
  auto* const linking = dynamic_cast<LinkingStore*>(&store);
  if (linking != nullptr) return linking->link(key, object);
  MARIGRAM_TRY(check_key(key, store.name()));
  return false;
}

}  // namespace marigram::io
