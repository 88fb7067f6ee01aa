// Decides what all copies of a store, and its leases, share.
#pragma once

#include "core/fork_epoch.hpp"
#include "core/futex.hpp"
#include "core/keeper.hpp"
#include "core/notifier.hpp"
#include "core/registry.hpp"
#include "spi/backend.hpp"

#include <leasehold/store.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::detail {

class store_state final : public std::enable_shared_from_this<store_state> {
 public:
  store_state(spi::opened engine, open_options const& options);
  store_state(store_state const&) = delete;
  store_state& operator=(store_state const&) = delete;
  ~store_state();
  /// Second step of construction: what needs `shared_from_this`.
  void start();

  [[nodiscard]] time_point now() const noexcept { return env->now(); }
  /// True in a child of the process that opened it: everything here is the parent's.
  [[nodiscard]] bool is_forked() const noexcept { return fork_epoch_ != core::fork_epoch(); }
  [[nodiscard]] bool is_closed() const noexcept { return closed.load(std::memory_order_acquire); }
  bool close(duration timeout);
  /// What the user calls the name that the engine knows as `full`.
  [[nodiscard]] std::string_view own_name(std::string_view full) const noexcept {
    return full.substr(name_space.size());
  }

  std::shared_ptr<spi::backend> const backend;
  std::shared_ptr<spi::environment> const env;
  std::string const url;
  std::string const identity;
  std::string const name_space;
  std::optional<duration> const op_timeout;
  core::audience audience;
  core::registry leases;
  std::shared_ptr<core::keeper> const keeper;
  std::atomic<bool> closed{false};
  std::stop_source closing;

  /// Somebody waits in a call; `close` lets it clean up before the engine goes.
  class visit {
   public:
    explicit visit(store_state& where) noexcept : where_(where) { where_.visitors_.fetch_add(1); }
    visit(visit const&) = delete;
    visit& operator=(visit const&) = delete;
    ~visit() {
      where_.visitors_.fetch_sub(1);
      if (where_.is_closed()) core::futex_wake_all(where_.visitors_, false);
    }

   private:
    store_state& where_;
  };

 private:
  std::atomic<std::uint32_t> visitors_{0};
  std::uint32_t const fork_epoch_;
};

struct store_access {
  static store make(std::shared_ptr<store_state> s) noexcept {
    store out;
    out.state_ = std::move(s);
    return out;
  }
  static std::shared_ptr<store_state> const& state(store const& s) noexcept { return s.state_; }
};

}  // namespace leasehold::inline v0_1::detail
