#include "engines/redis/backend.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/sha1.hpp"
#include "engines/redis/view.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>

namespace leasehold::inline v0_1::redis {
namespace {

leasehold::traits traits_of(settings const& of) {
  leasehold::traits out;
  out.engine = "redis";
  out.exclusion = out.exclusion_with_ttl = of.guarded ? exclusion::timed : exclusion::best_effort;
  out.fencing = fencing::conditional;
  out.waiting = waiting::fifo;
  out.shared = out.semaphore = true;
  out.ttl_default = std::min<duration>(std::chrono::seconds(15), of.max_ttl);
  out.ttl_min = std::chrono::milliseconds(100);
  out.ttl_max = of.max_ttl;
  out.metadata_bytes_max = 4096;
  out.note_bytes_max = 255;
  out.result_bytes_max = 65536;
  out.summary = of.guarded
                    ? "One Redis server: exclusive while its clock and ours keep pace, guarded against a server that "
                      "forgets; tokens grow if successive servers' clocks agree within the longest TTL."
                    : "One Redis server without the guard (safety=best): a server that forgets grants twice.";
  return out;
}

}  // namespace

std::string new_owner() {
  std::array<unsigned char, 16> bits{};
  std::size_t have = 0;
  while (have < bits.size()) {
    auto const n = ::getrandom(bits.data() + have, bits.size() - have, 0);
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  std::string out;
  out.reserve(2 * bits.size());
  for (auto const b : bits) out += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
  return out;
}

backend::backend(settings of)
    : settings_(std::move(of)),
      traits_(traits_of(settings_)),
      requests_(settings_),
      calls_(settings_, "lh:c:" + new_owner().substr(0, 16)) {}

std::unique_ptr<spi::claim> backend::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<redis_claim>(*this, spec);
}

spi::task<result<spi::backend::adopted>> backend::adopt(spi::claim_spec const& spec, std::string_view ticket) {
  auto taken = std::make_unique<redis_claim>(*this, spec);
  auto const grant = co_await taken->take_over(ticket);
  if (!grant) co_return grant.get_failure();
  adopted out{std::move(taken), *grant};
  co_return std::move(out);
}

void backend::close() noexcept {
  requests_.close();
  calls_.close();
}

spi::task<result<void>> backend::probe() {
  auto& drive = co_await spi::this_driver();
  // Every verb is a script: a server, or a user, without them is refused here and not by the first lock.
  constexpr std::string_view harmless = "return 1";
  std::vector<std::string> questions;
  questions.push_back(command({"EVAL", harmless, "0"}));
  questions.push_back(command({"EVALSHA", sha1(harmless), "0"}));
  std::vector<result<reply>> replies(questions.size(), result<reply>(errc::outcome_unknown));
  co_await requests_.ask_all(std::move(questions), replies, drive.now() + op_timeout_most);
  for (auto const& r : replies) {
    if (!r) co_return r.get_failure();
    if (r->is_error() && r->error_code() != "NOSCRIPT") co_return failure_of(*r, settings_);
  }
  co_return result<void>();
}

spi::task<result<void>> backend::initialize() {
  auto& drive = co_await spi::this_driver();
  std::vector<std::string_view> const keys{guard_key};
  std::vector<std::string> const arguments{ms_text(settings_.max_ttl)};
  auto const r = co_await requests_.run(initialize_script(), keys, arguments, drive.now() + op_timeout_most);
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, settings_);
  if (r->as_number() == 1) co_return result<void>();
  auto const refused = answer_of(*r, {}, drive.now(), settings_);
  co_return refused ? unexpected(settings_) : refused.get_failure();
}

spi::task<result<void>> backend::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  if (is_reserved(name)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  name_keys const keys(name);
  std::vector<std::string> const arguments{std::to_string(token), options.now ? "1" : "0"};
  auto const r = co_await requests_.run(evict_script(), script_keys(keys), arguments, drive.now() + op_timeout_most);
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, settings_);
  if (r->as_number() == 1) co_return result<void>();
  co_return failure{make_error_code(errc::not_owner), diagnostics("nobody holds that name with that token")};
}

spi::task<result<lock_info>> backend::inspect(std::string_view name) {
  if (is_reserved(name)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  name_keys const keys(name);
  std::vector<std::string> const none;
  auto const r = co_await requests_.run(inspect_script(), script_keys(keys), none, drive.now() + op_timeout_most);
  if (!r) co_return r.get_failure();
  co_return info_of(*r, name, drive.now(), settings_);
}

/// Names in the index; some may be free by now.
spi::task<result<std::vector<std::string>>> backend::indexed_names(std::string_view prefix) {
  auto& drive = co_await spi::this_driver();
  std::vector<std::string> names;
  std::string cursor = "0";
  do {
    auto request = command({"HSCAN", index_key, cursor, "COUNT", "500"});
    auto const r = co_await requests_.ask(std::move(request), drive.now() + op_timeout_most);
    if (!r) co_return r.get_failure();
    if (r->is_error()) co_return failure_of(*r, settings_);
    cursor = r->at(0).text;
    auto const& pairs = r->at(1).items;
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      if (pairs[i].text.starts_with(prefix)) names.push_back(pairs[i].text);
    }
  } while (!cursor.empty() && cursor != "0");
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  co_return names;
}

spi::task<result<std::vector<lock_info>>> backend::list(std::string_view prefix) {
  auto& drive = co_await spi::this_driver();
  auto const names = co_await indexed_names(prefix);
  if (!names) co_return names.get_failure();
  std::vector<lock_info> found;
  constexpr std::size_t at_once = 200;
  for (std::size_t from = 0; from < names->size(); from += at_once) {
    auto const some = std::span(*names).subspan(from, std::min(at_once, names->size() - from));
    std::vector<std::string> questions;
    for (auto const& name : some) {
      name_keys const keys(name);
      auto const how = questions.empty() ? run_by::text : run_by::sha;  // the first makes it known
      questions.push_back(run_command(inspect_script(), how, script_keys(keys), {}));
    }
    std::vector<result<reply>> replies(some.size(), result<reply>(errc::outcome_unknown));
    co_await requests_.ask_all(std::move(questions), replies, drive.now() + op_timeout_most);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (replies[i] && replies[i]->error_code() == "NOSCRIPT") {  // flushed meanwhile
        name_keys const keys(some[i]);
        std::vector<std::string> const none;
        replies[i] = co_await requests_.run(inspect_script(), script_keys(keys), none, drive.now() + op_timeout_most);
      }
      if (!replies[i]) co_return replies[i].get_failure();
      auto info = info_of(*replies[i], some[i], drive.now(), settings_);
      if (!info && info.error() == errc::mode_mismatch) continue;  // overwritten by something else since
      if (!info) co_return info.get_failure();
      if (info->state != lock_state::free || !info->waiters.empty()) found.push_back(std::move(*info));
    }
  }
  co_return found;
}

}  // namespace leasehold::inline v0_1::redis
