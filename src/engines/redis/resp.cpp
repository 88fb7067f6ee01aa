#include "engines/redis/resp.hpp"

#include <array>
#include <charconv>

namespace leasehold::inline v0_1::redis {
namespace {

constexpr std::int64_t text_bytes_max = 64 << 20;
constexpr std::int64_t items_max = 1 << 20;
constexpr std::size_t line_bytes_max = 64 << 10;
constexpr int depth_max = 8;

std::optional<std::int64_t> number_of(std::string_view text) noexcept {
  std::int64_t value = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void append_length(std::string& out, char mark, std::size_t n) {
  std::array<char, 24> text;
  text[0] = mark;
  auto* end = std::to_chars(text.data() + 1, text.data() + text.size() - 2, n).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text.data(), end);
}

}  // namespace

std::string_view reply::error_code() const noexcept {
  return is_error() ? std::string_view(text).substr(0, text.find(' ')) : std::string_view{};
}

reply const& reply::at(std::size_t i) const noexcept {
  static reply const none;
  return i < items.size() ? items[i] : none;
}

std::optional<std::int64_t> reply::as_number() const noexcept {
  if (what == kind::integer) return number;
  return what == kind::text || what == kind::status ? number_of(text) : std::nullopt;
}

void append_command(std::string& out, std::span<std::string_view const> words) {
  constexpr std::size_t around = 12;  // a length of usual size and line ends
  auto size = out.size() + around;
  for (auto const word : words) size += word.size() + around;
  out.reserve(size);
  append_length(out, '*', words.size());
  for (auto const word : words) {
    append_length(out, '$', word.size());
    out.append(word);
    out.append("\r\n");
  }
}

std::string command(std::initializer_list<std::string_view> words) {
  std::string out;
  append_command(out, {words.begin(), words.size()});
  return out;
}

void parser::clear() noexcept {
  buffer_.clear();
  begin_ = needed_ = 0;
  broken_ = false;
}

std::optional<reply> parser::next() {
  if (broken_ || buffer_.size() - begin_ < needed_ || begin_ == buffer_.size()) return std::nullopt;
  reply out;
  auto at = begin_;
  needed_ = 0;
  switch (read(out, at, 0)) {
    case step::whole:
      begin_ = at;
      if (begin_ == buffer_.size()) {
        buffer_.clear();
        begin_ = 0;
      }
      return out;
    case step::partial:
      buffer_.erase(0, begin_);
      begin_ = 0;
      return std::nullopt;
    case step::bad:
      break;
  }
  broken_ = true;
  return std::nullopt;
}

parser::step parser::read(reply& out, std::size_t& at, int depth) {
  if (depth > depth_max) return step::bad;
  auto const end = buffer_.find("\r\n", at);
  if (end == std::string::npos) return buffer_.size() - at > line_bytes_max ? step::bad : step::partial;
  if (end == at) return step::bad;
  auto const mark = buffer_[at];
  auto const line = std::string_view(buffer_).substr(at + 1, end - at - 1);
  auto const number = number_of(line);
  at = end + 2;
  switch (mark) {
    case '+':
    case '-':
      out.what = mark == '+' ? reply::kind::status : reply::kind::error;
      out.text = line;
      return step::whole;
    case ':':
      out.what = reply::kind::integer;
      out.number = number.value_or(0);
      return number ? step::whole : step::bad;
    case '$':
      return number ? read_text(out, at, *number) : step::bad;
    case '*':
      return number ? read_items(out, at, *number, depth) : step::bad;
    default:
      return step::bad;
  }
}

parser::step parser::read_text(reply& out, std::size_t& at, std::int64_t bytes) {
  if (bytes == -1) return step::whole;
  if (bytes < 0 || bytes > text_bytes_max) return step::bad;
  auto const n = static_cast<std::size_t>(bytes);
  if (buffer_.size() - at < n + 2) {
    needed_ = at + n + 2 - begin_;
    return step::partial;
  }
  if (buffer_.compare(at + n, 2, "\r\n") != 0) return step::bad;
  out.what = reply::kind::text;
  out.text.assign(buffer_, at, n);
  at += n + 2;
  return step::whole;
}

parser::step parser::read_items(reply& out, std::size_t& at, std::int64_t count, int depth) {
  if (count == -1) return step::whole;
  if (count < 0 || count > items_max) return step::bad;
  out.what = reply::kind::array;
  for (std::int64_t i = 0; i < count; ++i) {
    if (at == buffer_.size()) return step::partial;
    if (auto const s = read(out.items.emplace_back(), at, depth + 1); s != step::whole) return s;
  }
  return step::whole;
}

}  // namespace leasehold::inline v0_1::redis
