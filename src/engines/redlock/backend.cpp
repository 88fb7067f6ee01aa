#include "engines/redlock/backend.hpp"

#include "engines/redlock/claim.hpp"
#include "spi/fan.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>

namespace leasehold::inline v0_1::redlock {
namespace {

leasehold::traits traits_of(settings const& of) {
  leasehold::traits out;
  out.engine = "redlock";
  out.exclusion = out.exclusion_with_ttl = exclusion::timed;
  out.fencing = fencing::conditional;
  out.waiting = waiting::push;
  out.shared = out.semaphore = out.slots = true;
  out.ttl_default = std::min<duration>(std::chrono::seconds(15), of.max_ttl);
  out.ttl_min = std::chrono::milliseconds(100);
  out.ttl_max = of.max_ttl;
  out.metadata_bytes_max = 4096;
  out.summary =
      "A majority of independent Redis servers: exclusive while clock rates agree, whichever minority is dead, frozen "
      "or "
      "has forgotten; tokens grow whatever clocks do while no server forgets, and across one that does while rates "
      "agree.";
  return out;
}

/// One server behind two addresses is one vote that counts twice.
result<void> check_distinct(std::vector<result<spi::node::standing>> const& all, node_list const& nodes) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; all[i] && k < i; ++k) {
      if (!all[k] || all[k]->identity != all[i]->identity) continue;
      return failure{make_error_code(errc::misconfigured),
                     diagnostics(nodes[k]->shown() + " and " + nodes[i]->shown() + " are one server",
                                 "a majority is one of different servers")};
    }
  }
  return {};
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

time_point patience(time_point asked, time_point now, time_point until) noexcept {
  auto const as_long_again = std::max<duration>(3 * (now - asked), std::chrono::milliseconds(20));
  return std::min(until, now + as_long_again);
}

backend::backend(settings of, node_list nodes)
    : settings_(std::move(of)), traits_(traits_of(settings_)), nodes_(std::move(nodes)) {}

std::unique_ptr<spi::claim> backend::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<redlock_claim>(*this, spec);
}

void backend::close() noexcept {
  for (auto const& n : nodes_) n->close();
}

void backend::saw(std::uint64_t counter) noexcept {
  for (auto at = newest_.load(); at < counter && !newest_.compare_exchange_weak(at, counter);) {
  }
}

/// A frozen minority is not waited for, once a majority has answered.
spi::task<std::vector<result<spi::node::standing>>> backend::look_at_all(time_point until) {
  auto& drive = co_await spi::this_driver();
  auto const begun = drive.now();
  std::vector<result<spi::node::standing>> out(
      nodes_.size(), failure{make_error_code(errc::outcome_unknown), diagnostics("it does not answer")});
  spi::fan<result<spi::node::standing>> asks(drive);
  for (auto const& n : nodes_) asks.start(n->look(until));
  std::size_t good = 0;
  for (auto patient_until = until; auto const which = co_await asks.next(patient_until);) {
    out[*which] = asks.take(*which);
    if (out[*which]) saw(out[*which]->counter);
    if (out[*which] && ++good == model::quorum_of(nodes_.size())) patient_until = patience(begun, drive.now(), until);
  }
  co_return std::move(out);
}

spi::task<result<void>> backend::probe() {
  auto& drive = co_await spi::this_driver();
  auto const all = co_await look_at_all(drive.now() + op_timeout_most);
  if (auto ok = check_distinct(all, nodes_); !ok) co_return std::move(ok);
  ballot said(nodes_.size());
  for (auto const& one : all) {
    // A list that differs, and rights that are missing, do not mend themselves; a node that is down may.
    if (!one && (one.error() == errc::misconfigured || one.error() == errc::auth)) co_return one.get_failure();
    if (one) {
      said.granted();
    } else {
      said.failed(one.get_failure());
    }
  }
  auto const answered = said.verdict({}, settings_.url);
  if (!answered) co_return answered.get_failure();
  co_return result<void>();
}

/// INVARIANT: no counter goes back: each node is told the largest of all.
spi::task<result<void>> backend::initialize() {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  std::uint64_t largest = 0;
  std::vector<std::string> identities;
  for (auto const& n : nodes_) {
    auto const state = co_await n->look(until);
    if (!state && state.error() == errc::misconfigured) continue;  // another list: that is what init changes
    if (!state) co_return state.get_failure();
    largest = std::max(largest, state->counter);
    if (std::ranges::find(identities, state->identity) != identities.end()) {
      co_return failure{make_error_code(errc::misconfigured),
                        diagnostics(n->shown() + " is a server that was named before", "name different servers")};
    }
    identities.push_back(state->identity);
  }
  for (auto const& n : nodes_) {
    auto done = co_await n->initialize(largest, until);
    if (!done) co_return std::move(done);
  }
  co_return result<void>();
}

model::node_set backend::silent(time_point now) const noexcept {
  model::node_set out = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto const due = check_due_[i].load();
    if (due != 0 && now.time_since_epoch().count() >= due) out |= model::only(i);  // 0: it has never been asked
  }
  return out;
}

model::node_set backend::take_unheard(time_point now) noexcept {
  auto const here = now.time_since_epoch().count();
  auto const next = (now + check_every).time_since_epoch().count();
  auto due = look_due_.load();
  if (here < due || !look_due_.compare_exchange_strong(due, next)) return 0;
  if (due != 0) return silent(now);
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    heard_from(i, now);  // the first time: nobody has had the time to answer
  return 0;
}

spi::task<void> backend::look_after(model::node_set nodes, time_point patient_until) {
  auto& drive = co_await spi::this_driver();
  model::node_set idle = 0;
  {
    spi::fan<result<spi::node::standing>> asks(drive);
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if ((nodes & model::only(i)) == 0) continue;
      asked.push_back(i);
      asks.start(nodes_[i]->look(patient_until));
    }
    while (auto const which = co_await asks.next(patient_until)) {
      auto const state = asks.take(*which);
      if (state) heard_from(asked[*which], drive.now());
      if (state && !state->votes) idle |= model::only(asked[*which]);
    }
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if ((idle & model::only(i)) != 0) co_await bring_back(i);
  }
}

spi::task<void> backend::bring_back(std::size_t i) {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  model::rejoin_tally tally(nodes_.size());
  {
    spi::fan<result<spi::node::standing>> asks(drive);
    std::vector<std::size_t> others;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (n == i) continue;
      others.push_back(n);
      asks.start(nodes_[n]->look(until));
    }
    while (!tally.counter()) {
      auto const which = co_await asks.next(until);
      if (!which) co_return;
      auto const other = asks.take(*which);
      if (other && other->votes) tally.told(other->counter);
    }
  }
  static_cast<void>(co_await nodes_[i]->rejoin(*tally.counter(), until));
}

}  // namespace leasehold::inline v0_1::redlock
