// Visibility of the public API: everything a program may call carries MARIGRAM_EXPORT; all else is hidden.
#pragma once

#define MARIGRAM_EXPORT __attribute__((visibility("default")))
