#include <leasehold/multi_lease.hpp>

#include "core/prepare.hpp"
#include "core/report.hpp"
#include "model/deadline.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace leasehold::inline v0_1 {

/// One stop for all members.
class multi_lease::loss {
 public:
  explicit loss(std::vector<lease> const& members) {
    forwards_.reserve(members.size());
    for (auto const& each : members) forwards_.push_back(std::make_unique<callback>(each.lost(), forward{&all_}));
  }
  loss(loss const&) = delete;
  [[nodiscard]] std::stop_token token() const noexcept { return all_.get_token(); }

 private:
  struct forward {
    std::stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
  };
  using callback = std::stop_callback<forward>;
  std::stop_source all_;
  std::vector<std::unique_ptr<callback>> forwards_;  ///< after the source that they stop
};

multi_lease::multi_lease() noexcept = default;
multi_lease::multi_lease(multi_lease&&) noexcept = default;

multi_lease::multi_lease(std::vector<lease> members)
    : members_(std::move(members)), loss_(std::make_unique<loss>(members_)) {}

multi_lease& multi_lease::operator=(multi_lease&& other) noexcept {
  if (this == &other) return *this;
  std::error_code ignored;
  release(ignored);
  loss_ = std::move(other.loss_);
  members_ = std::move(other.members_);
  return *this;
}

multi_lease::~multi_lease() {
  std::error_code ignored;
  release(ignored);
}

lease const& multi_lease::member(std::string_view name) const {
  auto const at =
      std::find_if(members_.begin(), members_.end(), [&](lease const& each) { return each.name() == name; });
  if (at != members_.end()) return *at;
  throw error(errc::bad_name, diagnostics(std::string(name) + " is not among the names that were acquired together"));
}

time_point multi_lease::deadline() const noexcept {
  auto first = time_point::max();
  for (auto const& each : members_) first = std::min(first, each.deadline());
  return first;
}

bool multi_lease::held() const noexcept {
  return !members_.empty() &&
         std::all_of(members_.begin(), members_.end(), [](auto const& each) { return each.held(); });
}

void multi_lease::checkpoint(std::error_code& ec) const noexcept {
  ec = held() ? std::error_code{} : make_error_code(errc::lost);
}

void multi_lease::checkpoint() const {
  if (held()) return;
  std::string gone;
  for (auto const& each : members_) {
    if (!each.held()) gone += (gone.empty() ? "" : ", ") + std::string(each.name());
  }
  throw lease_lost(errc::lost, diagnostics("lost, and with it the whole set: " + gone,
                                           "stop using the resources; acquire all again if the work is still wanted"));
}

std::stop_token multi_lease::lost() const { return loss_->token(); }

void multi_lease::renew(std::error_code& ec) {
  ec = members_.empty() ? make_error_code(errc::lost) : std::error_code{};
  for (auto& each : members_) {
    std::error_code own;
    each.renew(own);
    if (own && !ec) ec = own;
  }
}

void multi_lease::renew() {
  std::error_code ec;
  renew(ec);
  if (ec) failure(ec, diagnostics("renewing a set of leases failed")).raise();
}

void multi_lease::release(std::error_code& ec) noexcept {
  ec = {};
  for (auto at = members_.rbegin(); at != members_.rend(); ++at) {
    std::error_code own;
    at->release(own);
    if (own && !ec) ec = own;
  }
}

void multi_lease::release() {
  std::error_code ec;
  release(ec);
  if (ec) failure(ec, diagnostics("releasing a set of leases")).raise();
}

namespace detail {

struct multi_lease_access {
  static multi_lease make(std::vector<lease> members) { return multi_lease(std::move(members)); }
};

}  // namespace detail

namespace {

/// INVARIANT: sorted, each once. All callers take names in this order, so none waits for one that waits for it.
std::vector<std::string> in_canonical_order(std::span<std::string_view const> names) {
  std::vector<std::string> order(names.begin(), names.end());
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  return order;
}

/// Every name from `first` on that somebody holds; `why` says it of the first.
diagnostics all_in_the_way(store const& where, std::span<std::string const> names, diagnostics const& why) {
  std::string message(why.message());
  for (auto const& name : names.subspan(1)) {
    auto const info = where.inspect(name, std::nothrow);
    if (info && !info->holders.empty()) message += "; " + name + " is held by " + info->holders.front().identity;
  }
  diagnostics all(std::move(message), std::string(why.hint()), std::string(why.server_text()));
  auto holder = why.holder() != nullptr ? std::make_shared<holder_info const>(*why.holder()) : nullptr;
  return all.with_holder(std::move(holder)).with_retry_after(why.retry_after());
}

/// In what has been taken the last goes first, whatever ends this.
class taking {
 public:
  taking() = default;
  taking(taking const&) = delete;
  ~taking() {
    while (!taken_.empty()) taken_.pop_back();
  }
  void add(lease one) { taken_.push_back(std::move(one)); }
  [[nodiscard]] std::vector<lease> finish() noexcept { return std::exchange(taken_, {}); }
  /// The first that was lost while others were waited for.
  [[nodiscard]] lease const* lost() const noexcept {
    auto const at = std::find_if(taken_.begin(), taken_.end(), [](lease const& each) { return !each.held(); });
    return at == taken_.end() ? nullptr : &*at;
  }

 private:
  std::vector<lease> taken_;
};

result<multi_lease> take_all(store const& where, std::span<std::string_view const> names, acquire_options options,
                             std::stop_token const& stop) {
  auto const order = in_canonical_order(names);
  if (order.empty()) return failure(errc::bad_option, diagnostics("no names to acquire"));
  auto const& state = detail::store_access::state(where);
  if (!state) return failure(errc::bad_option, diagnostics("this store is empty", "open one first"));
  for (auto const& name : order) {  // nothing is taken before everything that was asked for can be
    if (auto const fits = core::prepare(*state, core::full_name(*state, name), options); !fits)
      return fits.get_failure();
  }
  auto const until = options.wait ? model::after(state->now(), *options.wait) : time_point::max();
  taking held;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (options.wait) options.wait = std::max(until - state->now(), duration::zero());
    std::error_code ec;
    diagnostics details;
    auto one = where.acquire(order[i], options, stop, ec, &details);
    if (ec == errc::timed_out) return failure(ec, all_in_the_way(where, std::span(order).subspan(i), details));
    if (ec) return failure(ec, details);
    held.add(std::move(one));
  }
  if (auto const* gone = held.lost()) {
    return failure(errc::lost, diagnostics(std::string(gone->name()) + " was lost while other names were waited for",
                                           "ask for a longer ttl, or let it be renewed automatically"));
  }
  return detail::multi_lease_access::make(held.finish());
}

}  // namespace

multi_lease acquire_all(store const& where, std::span<std::string_view const> names, acquire_options const& options,
                        std::stop_token stop) {
  return take_all(where, names, options, stop).value();
}

multi_lease acquire_all(store const& where, std::span<std::string_view const> names, acquire_options const& options,
                        std::stop_token stop, std::error_code& ec, diagnostics* details) {
  return core::report(take_all(where, names, options, stop), ec, details);
}

}  // namespace leasehold::inline v0_1
