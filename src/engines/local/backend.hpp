// Decides what the engine offers to core: claims over one session, and a look at the tables.
#pragma once

#include "engines/local/claim.hpp"
#include "engines/local/remains.hpp"

namespace leasehold::inline v0_1::local {

class local_backend final : public spi::backend {
 public:
  local_backend(std::shared_ptr<local::session> s, bool common, bool use_waitv);
  ~local_backend() override;

  [[nodiscard]] leasehold::traits const& traits() const noexcept override { return traits_; }
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override {
    return local_claim::make(connection_, spec);
  }
  spi::task<result<adopted>> adopt(spi::claim_spec const& spec, std::string_view ticket) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<std::optional<completion>>> get_record(std::string_view name) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  spi::task<std::vector<finding>> diagnose() override;
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) override;
  void on_revocation(std::function<void()> tell) override;
  void close() noexcept override { connection_.closed.store(true); }

 private:
  [[nodiscard]] local::session& session() const noexcept { return *connection_.session; }
  /// The notes of the named records' exclusive holders.
  void add_notes(std::span<std::pair<id, lock_info>> into);
  [[nodiscard]] result<void> take_away(std::string_view name, u64 token, bool now);

  connection connection_;
  leasehold::traits traits_;
  bool common_;
};

/// One record as others may see it, consistent in itself; nullopt when it has no name, or (with `only_used`) is free.
[[nodiscard]] std::optional<lock_info> look_at(session const& s, id which, bool only_used);
/// Adds the seats of the named records: waiters in line order, shared holders.
void add_seats(session const& s, std::span<std::pair<id, lock_info>> into);
[[nodiscard]] previous_holder describe_end(remains const& what);
[[nodiscard]] std::vector<finding> findings_of(session const& s, bool common, bool use_waitv);

}  // namespace leasehold::inline v0_1::local
