#include "engines/redis/answers.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/metadata.hpp"
#include "engines/redis/node.hpp"
#include "engines/redis/node_answers.hpp"

namespace leasehold::inline v0_1::redis {

redis_node_claim::redis_node_claim(redis_node& from, spi::claim_spec const& spec)
    : from_(from),
      keys_(spec.name),
      description_(describe(spec, *spec.ttl)),
      ttl_(*spec.ttl),
      lock_delay_(spec.lock_delay),
      capacity_(spec.mode.capacity) {}

redis_node_claim::~redis_node_claim() { stop_listening(); }

void redis_node_claim::stop_listening() noexcept {
  if (ear_) from_.calls().forget(*ear_);
  ear_.reset();
}

spi::task<result<spi::node_answer>> redis_node_claim::ask(std::string_view owner, std::uint64_t hint,
                                                          std::optional<duration> waiting, time_point until) {
  if (is_reserved(keys_.lock)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  from_.calls().relax(drive.now());
  if (waiting) {
    if (waiter_.empty()) waiter_ = new_owner();
    if (!ear_) ear_ = std::make_unique<ear>();
    from_.calls().expect(*ear_, waiter_);
  }
  auto const& terms = from_.terms();
  std::vector<std::string> const arguments{std::string(owner),
                                           ms_text(ttl_),
                                           ms_text(lock_delay_),
                                           std::to_string(capacity_),
                                           std::to_string(hint),
                                           "o=" + std::string(owner) + description_,
                                           ms_text(from_.where().max_ttl),
                                           terms.list,
                                           terms.list_shown,
                                           waiting ? waiter_ : std::string(),
                                           ms_text(waiting.value_or(duration::zero())),
                                           from_.calls().channel()};
  auto const r = co_await from_.run(node_ask_script(), all_keys_, arguments, until);
  if (!r) co_return r.get_failure();
  co_return node_answer_of(*r, drive.now(), from_.where());
}

spi::task<result<spi::node_answer>> redis_node_claim::adopt(std::string_view before, std::string_view owner,
                                                            std::uint64_t hint, time_point until) {
  if (is_reserved(keys_.lock)) co_return reserved_name();
  std::vector<std::string> const arguments{std::string(before), std::string(owner), std::to_string(hint),
                                           "o=" + std::string(owner) + description_};
  auto const r = co_await from_.run(node_adopt_script(), all_keys_, arguments, until);
  if (!r) co_return r.get_failure();
  co_return adoption_of(*r, from_.where());
}

spi::task<result<bool>> redis_node_claim::settle(std::string_view owner, std::uint64_t token, time_point until) {
  std::vector<std::string> const arguments{std::string(owner), std::to_string(token)};
  auto const r = co_await from_.run(node_settle_script(), all_keys_, arguments, until);
  if (!r) co_return r.get_failure();
  co_return truth_of(*r, from_.where());
}

spi::task<result<bool>> redis_node_claim::renew(std::string_view owner, time_point until) {
  std::vector<spi::node_claim*> self{this};
  std::vector<std::string_view> owners{owner};
  auto const kept = co_await from_.renew(std::move(self), std::move(owners), until);
  if (!kept) co_return kept.get_failure();
  co_return bool{kept->front()};
}

spi::task<result<spi::node_claim::freed>> redis_node_claim::release(std::string_view owner, duration hold_off,
                                                                    bool quiet, time_point until) {
  if (!quiet) stop_listening();
  std::vector<std::string> const arguments{std::string(owner), ms_text(lock_delay_), ms_text(hold_off),
                                           quiet ? "1" : "0", quiet ? std::string() : waiter_};
  auto const r = co_await from_.run(node_release_script(), all_keys_, arguments, until);
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, from_.where());
  auto const outcome = r->as_number();
  if (!outcome) co_return unexpected(from_.where());
  if (*outcome == 1) co_return freed::ours;
  co_return *outcome == 0 ? freed::nobodys : freed::somebody_elses;
}

spi::task<spi::wake> redis_node_claim::called(time_point until) {
  if (ear_) co_return co_await from_.calls().listen(*ear_, until);
  spi::wait_request sleep{};
  sleep.until = until;
  co_return co_await spi::wait_on(sleep);
}

}  // namespace leasehold::inline v0_1::redis
