#include "wire/line_protocol.h"

#include "wire/number_text.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace marigram::wire {
namespace {

// What a byte means in names, and which bytes are special there.
enum : unsigned { kComma = 1, kEquals = 2, kBlank = 4, kBackslash = 8, kControl = 16 };
constexpr unsigned kInTable = kComma | kBlank;
constexpr unsigned kInName = kComma | kEquals | kBlank;  // and in a tag's value
constexpr unsigned kAfterValue = kComma | kBlank;

constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> classes = {};
  std::fill_n(classes.begin(), 0x20, kControl);
  classes[0x7f] = kControl;
  classes[','] = kComma;
  classes['='] = kEquals;
  classes[' '] = kBlank;
  classes['\\'] = kBackslash;
  return classes;
}();

unsigned class_of(char c) {
  return kClasses[static_cast<unsigned char>(c)];
}

/// The position of the first byte that is not part of UTF-8, in text that is none.
std::size_t first_no_utf8(std::string_view text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = begin + 1;
    if (static_cast<unsigned char>(text[begin]) >= 0x80U) {
      while (end < text.size() && continues(text[end])) ++end;
    }
    if (!simdjson::validate_utf8(text.data() + begin, end - begin)) return begin;
    begin = end;
  }
  return begin;
}

std::string_view cut(std::string_view text) {
  return beginning(text, 60);
}

}  // namespace

// A newline ends a line unless it is in a string, and a quote begins a string only right behind the equals sign of a
// field. So the few lines with a quote are followed byte by byte, also when they come in pieces.
std::size_t LineParser::find_end(std::string_view text, std::size_t seen) {
  if (seen == 0) {
    const std::size_t newline = text.find('\n');
    if (newline != std::string_view::npos && !text.substr(0, newline).contains('"')) return newline;
    part_ = Part::kBegin;
    backslash_ = false;
  }
  for (std::size_t i = seen; i < text.size(); ++i) {
    if (text[i] == '\n' && part_ != Part::kString) return i;
    part_ = step(text[i]);
  }
  return std::string_view::npos;
}

LineParser::Part LineParser::step(char c) {
  const bool escaped = std::exchange(backslash_, c == '\\');
  switch (part_) {
    case Part::kBegin:
      if (c == ' ') return Part::kBegin;
      return c == '#' ? Part::kComment : Part::kSeries;
    case Part::kSeries:
      return c == ' ' && !escaped ? Part::kFieldName : Part::kSeries;
    case Part::kFieldName:
      return c == '=' && !escaped ? Part::kFieldBegin : Part::kFieldName;
    case Part::kFieldBegin:
      if (c == '"') return Part::kString;
      [[fallthrough]];
    case Part::kFieldValue:
      if (c == ',') return Part::kFieldName;
      return c == ' ' ? Part::kTime : Part::kFieldValue;
    case Part::kString:
      if (escaped) backslash_ = false;
      return c == '"' && !escaped ? Part::kFieldValue : Part::kString;
    case Part::kComment:
    case Part::kTime:
      break;
  }
  return part_;
}

void LineParser::parse(std::string_view line) {
  line_text_ = line;
  is_cut_ = false;
  at_ = std::min(line.find_first_not_of(' '), line.size());
  if (at_ == line.size()) return;
  if (line[at_] == '#') {
    const auto control = std::ranges::find_if(line, [](char c) { return c != '\t' && class_of(c) == kControl; });
    if (control != line.end()) {
      wrong(static_cast<std::size_t>(control - line.begin()), "a comment holds a control character");
    }
    return;
  }
  is_cut_ = !simdjson::validate_utf8(line.data(), line.size());
  if (is_cut_) line_text_ = line.substr(0, first_no_utf8(line));
  tag_count_ = 0;
  field_count_ = 0;
  unescaped_.clear();
  unescaped_.reserve(line.size());
  if (!parse_point()) return;
  if (is_cut_) {
    wrong(at_, "");
  } else {
    add(table_, std::span(tags_).first(tag_count_), time_, std::span(fields_).first(field_count_));
  }
}

bool LineParser::parse_point() {
  return parse_series() && parse_fields() && parse_time();
}

bool LineParser::parse_series() {
  table_ = take_name(kInTable);
  if (table_.empty()) return wrong(at_, fmt::format("got {}, want a measurement's name", here()));
  while (peek() == ',') {
    ++at_;
    if (!parse_tag()) return false;
  }
  if (peek() == ' ') return true;
  return wrong(at_, fmt::format("got {}, want a comma and a tag, or a blank and a field", here()));
}

bool LineParser::parse_tag() {
  const std::string_view name = take_name(kInName);
  if (name.empty()) return wrong(at_, fmt::format("got {}, want a tag's name behind the comma", here()));
  if (peek() != '=') return wrong(at_, fmt::format("got {}, want an equals sign after tag \"{}\"", here(), cut(name)));
  ++at_;
  const std::string_view value = take_name(kInName);
  if (value.empty()) return wrong(at_, fmt::format("got {}, want a value of tag \"{}\"", here(), cut(name)));
  if (tag_count_ == tags_.size()) tags_.emplace_back();
  Tag& tag = tags_[tag_count_++];
  tag.name.assign(name);
  tag.value.assign(value);
  return true;
}

bool LineParser::parse_fields() {
  skip_blanks();
  while (true) {
    const std::string_view name = take_name(kInName);
    if (name.empty()) return wrong(at_, fmt::format("got {}, want a field's name", here()));
    if (peek() != '=') {
      return wrong(at_, fmt::format("got {}, want an equals sign after field \"{}\"", here(), cut(name)));
    }
    ++at_;
    if (field_count_ == fields_.size()) fields_.emplace_back();
    model::Field& field = fields_[field_count_++];
    field.name = name;
    if (!parse_value(field)) return false;
    if (peek() != ',') return true;
    ++at_;
  }
}

bool LineParser::parse_value(model::Field& field) {
  const std::size_t begin = at_;
  if (peek() == '"') return parse_string(field);
  while (at_ < line_text_.size() && (class_of(line_text_[at_]) & kAfterValue) == 0) ++at_;
  const std::string_view text = line_text_.substr(begin, at_ - begin);
  const std::string_view digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
  Parsed parsed = Parsed::kNo;
  if (text.ends_with('i')) {
    parsed = parse_number(digits, field.value.emplace<std::int64_t>());
  } else if (text.ends_with('u')) {
    parsed = parse_number(digits, field.value.emplace<std::uint64_t>());
  } else if (const auto value = parse_bool(text)) {
    field.value = *value;
    return true;
  } else {
    parsed = parse_float(text, field.value.emplace<double>());
  }
  if (parsed == Parsed::kYes) return true;
  if (parsed == Parsed::kOutOfRange) {
    return wrong(begin, fmt::format("the value of field \"{}\" is out of range; got {}, want 64 bits", cut(field.name),
                                    cut(text)));
  }
  return wrong(begin, fmt::format("the value of field \"{}\" is wrong; got `{}`, want a number (1.5, 3i, 4u), a quoted "
                                  "string, or true or false",
                                  cut(field.name), cut(text)));
}

bool LineParser::parse_string(model::Field& field) {
  const std::size_t begin = at_++;
  auto* const text = std::get_if<std::string>(&field.value);
  std::string& into = text != nullptr ? *text : field.value.emplace<std::string>();
  into.clear();
  while (true) {
    const std::size_t run = at_;
    while (at_ < line_text_.size() && line_text_[at_] != '"' && line_text_[at_] != '\\') ++at_;
    into.append(line_text_.substr(run, at_ - run));
    if (at_ == line_text_.size()) {
      return wrong(begin, fmt::format("the string of field \"{}\" is not closed by a quote", cut(field.name)));
    }
    if (line_text_[at_++] == '"') return parse_value_end();
    constexpr std::string_view kEscapes = "\"\\nrt";
    constexpr std::string_view kMeant = "\"\\\n\r\t";
    const std::size_t escape = at_ < line_text_.size() ? kEscapes.find(line_text_[at_]) : std::string_view::npos;
    if (escape == std::string_view::npos) {
      into.push_back('\\');
    } else {
      into.push_back(kMeant[escape]);
      ++at_;
    }
  }
}

bool LineParser::parse_value_end() {
  if (at_ == line_text_.size() || (class_of(line_text_[at_]) & kAfterValue) != 0) return true;
  return wrong(at_, fmt::format("got {}, want a comma, a blank or the line's end behind the string", here()));
}

bool LineParser::parse_time() {
  skip_blanks();
  time_ = default_time_;
  if (at_ == line_text_.size()) return true;
  const std::size_t begin = at_;
  const std::string_view text = line_text_.substr(begin, line_text_.find(' ', begin) - begin);
  const Parsed parsed = parse_number(text, time_);
  if (parsed == Parsed::kOutOfRange) {
    return wrong(begin, fmt::format("the timestamp is out of range; got {}, want 64 bits", cut(text)));
  }
  if (parsed == Parsed::kNo) {
    return wrong(begin, fmt::format("the timestamp is wrong; got `{}`, want an integer in {}", cut(text),
                                    time_unit_name(options().unit)));
  }
  at_ += text.size();
  skip_blanks();
  if (at_ == line_text_.size()) return true;
  return wrong(at_, fmt::format("got {}, want the line's end behind the timestamp", here()));
}

bool LineParser::wrong(std::size_t at, std::string reason) {
  if (is_cut_ && at_ == line_text_.size()) {
    refuse(at_, "the text is no valid UTF-8");
  } else {
    refuse(at, std::move(reason));
  }
  return false;
}

std::string LineParser::here() const {
  if (at_ >= line_text_.size()) return "the line's end";
  std::size_t end = at_ + 1;
  while (end < line_text_.size() && (static_cast<unsigned char>(line_text_[end]) & 0xC0U) == 0x80U) ++end;
  return fmt::format("{:?}", line_text_.substr(at_, end - at_));
}

void LineParser::skip_blanks() {
  while (peek() == ' ') ++at_;
}

std::string_view LineParser::take_name(unsigned specials) {
  const std::size_t begin = at_;
  bool escapes = false;
  for (; at_ < line_text_.size(); ++at_) {
    const unsigned is = class_of(line_text_[at_]);
    if ((is & (specials | kControl)) != 0) break;
    if (is == kBackslash && at_ + 1 < line_text_.size() && (class_of(line_text_[at_ + 1]) & specials) != 0) {
      ++at_;
      escapes = true;
    }
  }
  const std::string_view name = line_text_.substr(begin, at_ - begin);
  return escapes ? unescape(name, specials) : name;
}

std::string_view LineParser::unescape(std::string_view text, unsigned specials) {
  const std::size_t begin = unescaped_.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (class_of(text[i + 1]) & specials) != 0) ++i;
    unescaped_.push_back(text[i]);
  }
  return std::string_view(unescaped_).substr(begin);
}

}  // namespace marigram::wire
