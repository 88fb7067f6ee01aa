// Decides how single documents are read and written: which request, and what is asked again. A repeated write is harmless because each
// is conditional: the second finds what the first has done, and is told of a conflict.
#pragma once

#include "engines/cosmos/answers.hpp"
#include "engines/cosmos/transport.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

class container {
 public:
  explicit container(settings const& of) : where_(of), net_(of), base_(of.endpoint()) {}

  /// The answer of the service: done, missing or conflict. Errors: all else, as `failure_of` and `transport::send`.
  spi::task<result<response>> read(std::string id, time_point until);
  spi::task<result<response>> create(std::string id, std::string body, time_point until);
  spi::task<result<response>> replace(std::string id, std::string body, std::string etag, time_point until);
  spi::task<result<response>> remove(std::string id, std::string etag, time_point until);
  /// One page of the locks whose names begin so.
  spi::task<result<response>> page(std::string_view prefix, std::string continuation, time_point until);

  /// Of the account, the database or the container themselves; `missing` is an answer here, too.
  spi::task<result<response>> account(time_point until);
  spi::task<result<response>> describe(time_point until);
  spi::task<result<response>> make_database(time_point until);
  spi::task<result<response>> make_container(time_point until);

  /// Documents are asked for there from now on: the endpoint of the write region.
  void move_to(std::string base);
  [[nodiscard]] transport& net() noexcept { return net_; }
  [[nodiscard]] transport const& net() const noexcept { return net_; }
  [[nodiscard]] settings const& where() const noexcept { return where_; }
  /// The service has said that the write region is another one.
  [[nodiscard]] bool has_moved() const noexcept { return moved_.load(); }
  void set_moved(bool on) noexcept { moved_.store(on); }

 private:
  spi::task<result<response>> call(request r, bool of_documents, time_point until);
  [[nodiscard]] std::string base() const;
  [[nodiscard]] std::string link() const { return "dbs/" + where_.database + "/colls/" + where_.container; }
  [[nodiscard]] request of_document(std::string_view verb, std::string const& id) const;

  settings const& where_;
  transport net_;
  mutable std::mutex guard_;
  std::string base_;
  std::string session_;
  std::atomic<bool> moved_{false};
};

}  // namespace leasehold::inline v0_1::cosmos
