// Commit files: JSON in and out, both dialects, byte-compatible with the reference writers.
#pragma once

#include "log/action.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marigram::log {

/// `_timeseries_log/0000000001.json`; versions of more than ten digits are not cut.
std::string commit_path(std::uint64_t version);
/// The reverse; unset for any other path.
std::optional<std::uint64_t> version_in_path(std::string_view path);

/// Compact JSON with the reference's member order. All actions must fit the dialect (asserted). kInvalidInput when a
/// name or option is not UTF-8, which JSON cannot hold.
Result<std::string> encode_commit(Dialect dialect, const Commit& commit);

/// Why a commit file is not a commit: torn and foreign-damaged files are told apart from unsupported ones.
/// kCorruption: not JSON, cut short, wrong shape, wrong version or base_version, path that is not canonical.
/// kInvalidInput: a protocol version, required reader feature or (v1) action that this library does not know, by name.
Result<Commit> decode_commit(std::uint64_t version, std::string_view json);
/// Whether the text is whole JSON. A commit file that is not was torn while it was written; one that is whole and no
/// commit was damaged or written by someone else, and is nobody's to replace.
bool is_whole_json(std::string_view text);

/// One action as compact JSON, and back; the checkpoint reuses them line by line.
Result<std::string> encode_action(Dialect dialect, const Action& action);
Result<Action> decode_action(std::string_view json);
Result<std::string> encode_extension(const Extension& extension);
Result<Extension> decode_extension(std::string_view json);

}  // namespace marigram::log
