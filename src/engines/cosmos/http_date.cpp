#include "engines/cosmos/http_date.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr std::string_view days = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

int number(std::string_view text) noexcept {
  int value = -1;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size() ? value : -1;
}

void append(std::string& out, unsigned value, std::size_t digits) {
  auto const text = std::to_string(value);
  out.append(digits > text.size() ? digits - text.size() : 0, '0').append(text);
}

}  // namespace

std::int64_t read_http_date(std::string_view t) noexcept {
  constexpr std::size_t size = std::string_view("Tue, 15 Nov 1994 08:12:31 GMT").size();
  if (t.size() != size || t.substr(25) != " GMT") return 0;
  auto const month = months.find(t.substr(8, 3));
  int const day = number(t.substr(5, 2));
  int const year = number(t.substr(12, 4));
  int const hour = number(t.substr(17, 2));
  int const minute = number(t.substr(20, 2));
  int const second = number(t.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0 || hour < 0 || minute < 0 || second < 0 || day < 1) return 0;
  auto const date = std::chrono::year(year) / static_cast<int>(month / 3 + 1) / day;
  if (!date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 60) return 0;
  auto const midnight = std::chrono::sys_days(date).time_since_epoch().count();
  return (std::int64_t{midnight} * 24 + hour) * 3600 + minute * 60 + second;
}

std::string http_date(std::int64_t seconds) {
  std::chrono::sys_seconds const at{std::chrono::seconds(seconds)};
  auto const day = std::chrono::floor<std::chrono::days>(at);
  std::chrono::year_month_day const date(day);
  std::chrono::hh_mm_ss const time(at - day);
  std::string out(days.substr(3 * std::chrono::weekday(day).c_encoding(), 3));
  out += ", ";
  append(out, static_cast<unsigned>(date.day()), 2);
  out.append(" ").append(months.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3)).append(" ");
  append(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += " ";
  append(out, static_cast<unsigned>(time.hours().count()), 2);
  out += ":";
  append(out, static_cast<unsigned>(time.minutes().count()), 2);
  out += ":";
  append(out, static_cast<unsigned>(time.seconds().count()), 2);
  return out + " GMT";
}

}  // namespace leasehold::inline v0_1::cosmos
