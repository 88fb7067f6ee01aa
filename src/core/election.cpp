#include <leasehold/election.hpp>

#include "core/blocking_driver.hpp"
#include "core/contest.hpp"
#include "core/running_terms.hpp"
#include "model/deadline.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace leasehold::inline v0_1 {
namespace detail {

struct election_access {
  static term make(lease hold, std::shared_ptr<term_entry> entry) noexcept {
    return {std::move(hold), std::move(entry)};
  }
};

class election_state {
 public:
  election_state(store const& where, std::string_view name, election_options const& options)
      : where_(where),
        shared_(core::state_of(where, "an election")),
        name_(name),
        contest_(shared_, name, terms_of(options)),
        pause_(options.pause),
        place_(shared_->url + '\n' + std::string(core::full_name(*shared_, name))) {
    if (options.minimum_term < duration::zero() || options.pause < duration::zero())
      throw error(errc::bad_option, diagnostics("minimum_term and pause must not be negative"));
  }

  term campaign(std::stop_token const& stop) {
    if (may_stand_at_.load() > shared_->now()) sleep_until(may_stand_at_.load(), stop);
    auto hold = where_.acquire(name_, contest_.options(), stop);
    term_entry::settle(place_);
    auto entry = std::make_shared<term_entry>(place_, lease_access::state(hold));
    return election_access::make(std::move(hold), std::move(entry));
  }

  /// Whoever has led stands back for a moment that differs from candidate to candidate.
  void has_led() {
    auto const part = std::chrono::duration_cast<duration>(pause_ * shared_->env->jitter());
    may_stand_at_ = model::after(shared_->now(), part);
  }

  void sleep_until(time_point until, std::stop_token const& stop) const {
    core::blocking_driver driver(*shared_->env, stop);
    auto nap = [](time_point to) -> spi::task<void> {
      spi::wait_request sleep;
      sleep.until = to;
      static_cast<void>(co_await spi::wait_on(sleep));
    };
    while (shared_->now() < until && !stop.stop_requested()) driver.run(nap(until));
  }

  [[nodiscard]] result<std::optional<leader_info>> leader() const {
    auto info = where_.inspect(name_, std::nothrow);
    if (!info) return info.get_failure();
    if (info->state != lock_state::held || info->holders.empty()) return std::optional<leader_info>();
    auto const& who = info->holders.front();
    if (!who.token && where_.traits().fencing != leasehold::fencing::none)
      return std::optional<leader_info>();  // its term has not begun
    return std::optional(leader_info{who.identity, who.token});
  }

  [[nodiscard]] time_point now() const { return shared_->now(); }
  [[nodiscard]] duration spread(duration interval) const {
    return std::chrono::duration_cast<duration>(interval * (0.75 + 0.5 * shared_->env->jitter()));
  }

 private:
  static acquire_options terms_of(election_options const& options) {
    acquire_options out;
    out.ttl = options.ttl;
    out.hold_at_least = options.minimum_term;
    out.identity = options.identity;
    out.reason = options.reason;
    out.labels = options.labels;
    out.require = options.require;
    return out;
  }

  store where_;
  std::shared_ptr<store_state> shared_;
  std::string name_;
  core::contest contest_;  // owns what its options refer to
  duration pause_;
  std::string place_;
  std::atomic<time_point> may_stand_at_{time_point::min()};
};

}  // namespace detail

term::term() noexcept = default;
term::term(term&&) noexcept = default;
term::term(lease hold, std::shared_ptr<detail::term_entry> entry) noexcept
    : hold_(std::move(hold)), entry_(std::move(entry)) {}

term& term::operator=(term&& other) noexcept {
  if (this == &other) return *this;
  resign();
  entry_ = std::move(other.entry_);
  hold_ = std::move(other.hold_);
  return *this;
}

term::~term() { resign(); }

void term::resign() noexcept {
  entry_.reset();  // first: it refers to the lease
  hold_ = lease();
}

election::election(store const& where, std::string_view name, election_options const& options)
    : state_(std::make_unique<detail::election_state>(where, name, options)) {}

election::~election() = default;

term election::campaign(std::stop_token stop) { return state_->campaign(stop); }

namespace {

/// Asks the work to return, for whichever reason comes first.
class asking {
 public:
  asking(std::stop_token const& lost, std::stop_token const& stop) : lost_(lost, ask{&all_}), stop_(stop, ask{&all_}) {}
  [[nodiscard]] std::stop_token token() const noexcept { return all_.get_token(); }

 private:
  struct ask {
    std::stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
  };
  std::stop_source all_;
  std::stop_callback<ask> lost_;
  std::stop_callback<ask> stop_;
};

}  // namespace

term_end election::lead(std::function<void(term&, std::stop_token)> const& work, std::stop_token stop) {
  term mine;
  try {
    mine = state_->campaign(stop);
  } catch (error const& e) {
    if (e.code() == errc::cancelled && stop.stop_requested()) return term_end::stopped;
    throw;
  }
  struct led {
    detail::election_state& state;
    ~led() { state.has_led(); }
  } const afterwards{*state_};
  asking const either(mine.lost(), stop);
  work(mine, either.token());
  if (mine && !mine.held()) return term_end::lost;
  return stop.stop_requested() ? term_end::stopped : term_end::finished;
}

std::optional<leader_info> election::leader() const { return state_->leader().value(); }

void election::observe(std::function<void(std::optional<leader_info> const&)> const& tell, std::stop_token stop,
                       duration interval) const {
  std::optional<std::optional<leader_info>> told;
  std::uint64_t newest = 0;
  while (!stop.stop_requested()) {
    auto const seen = state_->leader();
    // INVARIANT: terms are told in order. An answer that was overtaken by a later one is not told.
    bool const is_stale = seen && *seen && (*seen)->term.value_or(newest) < newest;
    bool const is_news = seen && (!told || *told != *seen);
    if (is_news && !is_stale) {
      if (*seen) newest = (*seen)->term.value_or(newest);
      told = *seen;
      tell(*seen);
    }
    state_->sleep_until(model::after(state_->now(), state_->spread(interval)), stop);
  }
}

}  // namespace leasehold::inline v0_1
