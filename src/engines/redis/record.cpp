// Decides how a claim leaves a note, asks who ended before it, and records a completion; and how a completion is found.
#include "engines/redis/record_scripts.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/metadata.hpp"
#include "engines/redis/view.hpp"

#include <charconv>

namespace leasehold::inline v0_1::redis {
namespace {

using std::chrono::milliseconds;

std::optional<completion> read_record(std::string_view text, std::int64_t left_ms, time_point now) {
  constexpr std::string_view version = "v=1&t=";
  auto const end = text.find('\n');
  if (!text.starts_with(version) || end == std::string_view::npos) return std::nullopt;
  completion out;
  std::uint64_t token = 0;
  std::from_chars(text.data() + version.size(), text.data() + end, token);
  if (token != 0) out.token = token;
  out.result = text.substr(end + 1);
  out.until = now + milliseconds(left_ms);
  return out;
}

/// `entry`: the holder's line, then that of whoever ended before it.
std::optional<previous_holder> read_previous(std::string_view entry, std::int64_t server_now_ms, time_point now) {
  auto const end = entry.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  auto const mine = read_description(entry.substr(0, end));
  auto const line = entry.substr(end + 1);
  previous_holder out;
  out.who = holder_of(line, -1, server_now_ms, now);
  auto const seen_ms = read_description(line).gone_ms;
  out.ended_at = now - milliseconds(std::max<std::int64_t>(0, server_now_ms - (seen_ms > 0 ? seen_ms : mine.at_ms)));
  return out;
}

}  // namespace

/// A request of a held claim; sent again if the connection broke, which changes nothing.
spi::task<result<reply>> redis_claim::ask_of_mine(script const& what, std::vector<std::string_view> keys,
                                                  std::vector<std::string> arguments) {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  auto r = co_await from_.requests().run(what, keys, arguments, until);
  if (!r && r.error() == errc::outcome_unknown && drive.now() < until) {
    r = co_await from_.requests().run(what, keys, arguments, until);
  }
  if (r && r->is_error()) co_return failure_of(*r, from_.where());
  if (r && r->as_number() == 0) co_return failure{errc::lost};
  co_return r;
}

spi::task<result<void>> redis_claim::put_note(std::string_view text) {
  std::vector<std::string_view> const keys{name_, index_key};
  std::vector<std::string> const arguments{owner_, ms_text(lock_delay_), escaped(text)};
  auto const r = co_await ask_of_mine(note_script(), keys, arguments);
  if (!r) co_return r.get_failure();
  co_return result<void>();
}

spi::task<result<std::optional<previous_holder>>> redis_claim::previous() {
  std::vector<std::string_view> const keys{name_, index_key};
  std::vector<std::string> const arguments{owner_, ms_text(lock_delay_)};
  auto const r = co_await ask_of_mine(previous_script(), keys, arguments);
  if (!r) co_return r.get_failure();
  auto const server_now = r->at(0).as_number();
  if (!server_now) co_return unexpected(from_.where());
  auto& drive = co_await spi::this_driver();
  co_return read_previous(r->at(1).text, *server_now, drive.now());
}

spi::task<result<void>> redis_claim::put_record(std::string_view value, duration window) {
  auto const record = side_key('r', name_);
  std::vector<std::string_view> const keys{name_, index_key, record};
  std::vector<std::string> const arguments{owner_, ms_text(lock_delay_), ms_text(window), std::string(value)};
  auto const r = co_await ask_of_mine(record_script(), keys, arguments);
  if (!r) co_return r.get_failure();
  if (r->as_number() == 1) co_return result<void>();
  co_return failure{errc::not_owner, diagnostics("another completion is recorded under this name already")};
}

spi::task<result<std::optional<completion>>> backend::get_record(std::string_view name) {
  if (is_reserved(name)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  auto const record = side_key('r', name);
  std::vector<std::string_view> const keys{record};
  std::vector<std::string> const none;
  auto const r = co_await requests_.run(recorded_script(), keys, none, drive.now() + op_timeout_most);
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, settings_);
  if (r->as_number() == 0) co_return std::optional<completion>();
  auto const left = r->at(1).as_number();
  if (!left) co_return unexpected(settings_);
  co_return read_record(r->at(0).text, *left, drive.now());
}

}  // namespace leasehold::inline v0_1::redis
