// Decides what one HTTP request is on its way through libcurl: prepared by whoever asks, carried out by the transport's thread.
#pragma once

#include "engines/cosmos/curl_library.hpp"
#include "engines/cosmos/message.hpp"
#include "spi/driver.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace leasehold::inline v0_1::cosmos {

struct exchange {
  std::string url;
  std::string verb;
  std::vector<std::string> headers;
  std::string body;
  time_point until{};
  response got;
  std::string shown;  ///< of the store, for messages

  /// The thread's: what became of it. Calls whoever waits.
  void finish(result<response> how);
  /// Nobody waits any more.
  void leave();
  [[nodiscard]] bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
  /// REQUIRES: done. Once.
  [[nodiscard]] result<response> take() { return std::move(*outcome_); }
  void expect(std::shared_ptr<spi::waker> who) { waker_ = std::move(who); }

 private:
  std::mutex guard_;
  std::shared_ptr<spi::waker> waker_;
  std::optional<result<response>> outcome_;
  std::atomic<bool> done_{false};
};

/// A libcurl handle and what belongs to it for one exchange.
class carrier {
 public:
  carrier(curl_library const& lib, bool verify, std::string const& ca_file, bool loopback);
  carrier(carrier const&) = delete;
  carrier& operator=(carrier const&) = delete;
  ~carrier();

  void load(std::shared_ptr<exchange> what, time_point now);
  /// libcurl has ended with `code`: tells the exchange.
  void unload(CURLcode code, time_point now);
  /// The store is being closed.
  void abandon();
  [[nodiscard]] CURL* handle() const noexcept { return easy_; }

 private:
  static std::size_t on_header(char* text, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* text, std::size_t size, std::size_t count, void* self);
  [[nodiscard]] failure failure_of(CURLcode code) const;
  void clear();

  curl_library const& lib_;
  CURL* easy_;
  curl_slist* list_ = nullptr;
  std::shared_ptr<exchange> what_;
};

}  // namespace leasehold::inline v0_1::cosmos
