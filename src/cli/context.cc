#include "cli/context.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <cstdio>
#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace marigram::cli {

std::unexpected<Error> Context::usage(std::string message) {
  usage_error = true;
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

Status Context::print(const nlohmann::ordered_json& value) {
  // Names in a table may be any bytes; JSON is UTF-8.
  return out.write(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void note(std::string_view text) {
  fmt::print(stderr, "{}\n", text);
}

nlohmann::ordered_json error_json(const Error& error, std::string_view code) {
  nlohmann::ordered_json body;
  body["code"] = code.empty() ? std::string(error_code_name(error.code)) : std::string(code);
  body["message"] = error.message;
  if (const auto* conflict = std::get_if<ConflictInfo>(&error.detail)) {
    body["expected"] = conflict->expected;
    body["found"] = conflict->found;
  }
  if (const auto* overlap = std::get_if<OverlapInfo>(&error.detail)) {
    body["buckets"] = overlap->buckets;
    body["series"] = overlap->series;
    body["example"] = overlap->example;
  }
  if (const auto* unknown = std::get_if<UnknownOutcome>(&error.detail))
    body["transaction_id"] = unknown->transaction_id;
  return {{"error", std::move(body)}};
}

}  // namespace marigram::cli
