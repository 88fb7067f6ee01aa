// Decides how a job asks whether its lease is still good: one line of JSON over an abstract socket, for the same user only.
#pragma once

#include "run/descriptor.hpp"
#include "run/lease_set.hpp"

#include <string>
#include <string_view>

namespace leasehold::cli {

class check_socket {
 public:
  /// Listens under a name nobody can guess or leave behind. On failure it stays closed: jobs then cannot ask.
  check_socket();
  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  /// For LEASEHOLD_SOCKET: "@…"; empty when closed.
  [[nodiscard]] std::string const& address() const noexcept { return address_; }
  /// Answers whoever is waiting; never blocks.
  void answer(lease_set const& held) const;

 private:
  descriptor fd_;
  std::string address_;
};

/// The client side. Nothing when nobody listens any more. Throws `problem` (71).
[[nodiscard]] std::optional<std::string> ask_check_socket(std::string_view address);

}  // namespace leasehold::cli
