// Decides how one Redis server serves as a node of which several are asked: the SPI's node over one connection for requests and one
// for calls to waiters.
#pragma once

#include "engines/redis/names.hpp"
#include "engines/redis/node_scripts.hpp"
#include "engines/redis/pipeline.hpp"
#include "engines/redis/settings.hpp"
#include "engines/redis/subscriber.hpp"
#include "spi/node.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::redis {

/// A server as a node: `redis:`, `rediss:`, `redis+unix:`. Errors: errc::bad_option.
[[nodiscard]] result<std::shared_ptr<spi::node>> open_redis_node(spi::url const& url, spi::node_terms const& terms);

inline constexpr std::string_view node_key = "lh:node";
inline constexpr std::string_view node_held_key = "lh:held";

/// The keys of one name on a node, in the order in which scripts take them.
struct node_keys {
  std::string lock;
  std::string line;     ///< sorted set: waiters by arrival
  std::string waiters;  ///< hash: what each waits for
  std::string shared;   ///< as in `name_keys`
  std::string metadata;

  explicit node_keys(std::string_view name)
      : lock(name),
        line(side_key('l', name)),
        waiters(side_key('a', name)),
        shared(side_key('s', name)),
        metadata(side_key('m', name)) {}
  /// Views into this.
  [[nodiscard]] std::vector<std::string_view> all() const {
    return {lock, line, waiters, shared, metadata, node_key, node_held_key};
  }
};

class redis_node final : public spi::node {
 public:
  redis_node(settings of, spi::node_terms terms);

  [[nodiscard]] std::string const& shown() const noexcept override { return settings_.shown; }
  std::unique_ptr<spi::node_claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<standing>> look(time_point until) override;
  spi::task<result<void>> rejoin(std::uint64_t counter, time_point until) override;
  spi::task<result<void>> initialize(std::uint64_t counter, time_point until) override;
  spi::task<result<view>> inspect(std::string_view name, time_point until) override;
  spi::task<result<std::vector<std::string>>> names(std::string_view prefix, time_point until) override;
  spi::task<result<bool>> evict(std::string_view name, std::string_view owner, bool now, time_point until) override;
  spi::task<result<std::vector<bool>>> renew(std::vector<spi::node_claim*> claims, std::vector<std::string_view> owners,
                                             time_point until) override;
  spi::task<std::vector<finding>> diagnose() override;
  void close() noexcept override;

  [[nodiscard]] settings const& where() const noexcept { return settings_; }
  [[nodiscard]] spi::node_terms const& terms() const noexcept { return terms_; }
  [[nodiscard]] pipeline& requests() noexcept { return requests_; }
  [[nodiscard]] subscriber& calls() noexcept { return calls_; }
  /// Runs a script, once more if the connection broke: every script of a node may be repeated. The caller keeps what it refers to.
  spi::task<result<reply>> run(script const& what, std::vector<std::string_view> const& keys,
                               std::vector<std::string> const& arguments, time_point until);

 private:
  settings const settings_;
  spi::node_terms const terms_;
  pipeline requests_;
  subscriber calls_;
  std::atomic<bool> has_functions_{true};  // until the server says otherwise
};

class redis_node_claim final : public spi::node_claim {
 public:
  redis_node_claim(redis_node& from, spi::claim_spec const& spec);
  ~redis_node_claim() override;

  spi::task<result<spi::node_answer>> ask(std::string_view owner, std::uint64_t hint, std::optional<duration> waiting,
                                          time_point until) override;
  spi::task<result<spi::node_answer>> adopt(std::string_view before, std::string_view owner, std::uint64_t hint,
                                            time_point until) override;
  spi::task<result<bool>> settle(std::string_view owner, std::uint64_t token, time_point until) override;
  spi::task<result<bool>> renew(std::string_view owner, time_point until) override;
  spi::task<result<freed>> release(std::string_view owner, duration hold_off, bool quiet, time_point until) override;
  spi::task<spi::wake> called(time_point until) override;

  [[nodiscard]] bool is_alone() const noexcept { return capacity_ == 0; }
  [[nodiscard]] std::string const& name() const noexcept { return keys_.lock; }
  [[nodiscard]] duration ttl() const noexcept { return ttl_; }
  [[nodiscard]] duration lock_delay() const noexcept { return lock_delay_; }

 private:
  void stop_listening() noexcept;

  redis_node& from_;
  node_keys const keys_;
  std::vector<std::string_view> const all_keys_ = keys_.all();
  std::string const description_;
  duration const ttl_;
  duration const lock_delay_;
  std::uint32_t const capacity_;
  std::string waiter_;        // how it is called; empty: it has never waited
  std::unique_ptr<ear> ear_;  // while it may be called
};

}  // namespace leasehold::inline v0_1::redis
