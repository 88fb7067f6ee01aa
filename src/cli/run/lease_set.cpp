// Decides how several names are held as one.
#include "run/lease_set.hpp"

#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/lock_options.hpp"
#include "run/stop_plan.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

namespace leasehold::cli {

lease_set::lease_set(run_plan const& plan, store where, std::string identity)
    : plan_(plan), store_(std::move(where)), identity_(std::move(identity)) {
  for (auto const& [key, value] : plan.labels) labels_.push_back({key, value});
}

acquire_options lease_set::options_for(wanted_lock const& lock) const {
  acquire_options options;
  options.ttl = lock.ttl;
  options.mode = lock.mode;
  options.hold_at_least = plan_.hold_at_least;
  options.lock_delay = lock_delay;
  options.identity = identity_;
  options.reason = plan_.reason;
  options.labels = labels_;
  return options;
}

void lease_set::add(lease held, wanted_lock const& lock) {
  auto const ttl = lock.ttl ? lock.ttl : store_.traits().ttl_default;
  if (ttl) shortest_ttl_ = std::min(*ttl, shortest_ttl_.value_or(*ttl));
  leases_.push_back(std::move(held));
}

void lease_set::fail(std::error_code code, diagnostics const& details, wanted_lock const& lock) const {
  if (code == errc::timed_out) {
    throw problem{exit_code::busy, "LH-BUSY", busy_text(lock.name, details.holder()), busy_hint()};
  }
  throw from_library(code, details, joined({"acquiring ", printable(lock.name), " in ", plan_.store.label}));
}

bool lease_set::try_all() {
  while (leases_.size() < plan_.locks.size()) {
    auto const& lock = plan_.locks[leases_.size()];
    auto answer = store_.try_acquire(lock.name, options_for(lock), std::nothrow);
    if (!answer) fail(answer.error(), answer.get_failure().details, lock);
    if (!*answer) {
      if (answer->holder() != nullptr) blocker_ = *answer->holder();
      return false;
    }
    add(**std::move(answer), lock);
  }
  return true;
}

void lease_set::wait_for_rest(time_point until, std::stop_token stop) {
  while (leases_.size() < plan_.locks.size()) {
    auto const& lock = plan_.locks[leases_.size()];
    auto options = options_for(lock);
    if (until != time_point::max()) options.wait = std::max(duration::zero(), until - clock::now());
    std::error_code ec;
    diagnostics details;
    auto held = store_.acquire(lock.name, options, stop, ec, &details);
    if (ec) fail(ec, details, lock);
    add(std::move(held), lock);
  }
}

std::string lease_set::busy_message() const {
  auto const& name = plan_.locks[std::min(leases_.size(), plan_.locks.size() - 1)].name;
  return busy_text(name, blocker_ ? &*blocker_ : nullptr);
}

std::string lease_set::busy_hint() const {
  auto const& name = plan_.locks[std::min(leases_.size(), plan_.locks.size() - 1)].name;
  auto const flag = store_flag(plan_.store);
  return joined(
      {"see it:  leasehold show ", quoted_for_shell(name), flag, "        wait 5 minutes:  leasehold run -w 5m …"});
}

void lease_set::on_loss::operator()() const noexcept { ::eventfd_write(fd, 1); }

void lease_set::watch_for_loss() {
  loss_ = descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!loss_) throw os_refused("making an event descriptor", errno);
  for (auto const& each : leases_) callbacks_.emplace_back(each.lost(), on_loss{loss_.get()});
}

bool lease_set::held() const noexcept {
  return std::all_of(leases_.begin(), leases_.end(), [](lease const& each) { return each.held(); });
}

time_point lease_set::deadline() const noexcept {
  auto at = time_point::max();
  for (auto const& each : leases_) at = std::min(at, each.deadline());
  return at;
}

std::string lease_set::what_is_lost() const {
  for (auto const& each : leases_) {
    if (each.held()) continue;
    auto const why = each.error();
    return joined({printable(each.name()), why && why != errc::lost ? joined({": ", why.message()}) : std::string{}});
  }
  return {};
}

bool lease_set::release_all(run_report& report, std::string& trouble) {
  for (std::size_t i = leases_.size(); i-- > 0;) {
    std::error_code ec;
    leases_[i].release(ec);
    auto& outcome = report.locks.at(i).release;
    outcome = ec ? joined({"failed: ", ec.message()}) : "released";
    if (ec) trouble += joined({trouble.empty() ? "" : "; ", printable(leases_[i].name()), ": ", ec.message()});
  }
  return trouble.empty();
}

}  // namespace leasehold::cli
