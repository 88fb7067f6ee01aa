// Decides how stores ask each other who holds and who waits, which AMQP itself does not tell: a question goes to all, and whoever has to
// say something answers for itself. Nothing is decided by it but what is shown, and an eviction, which the holder's own store carries out.
#pragma once

#include "engines/rabbitmq/answer.hpp"
#include "engines/rabbitmq/pump.hpp"
#include "engines/rabbitmq/token.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::rabbitmq {

struct question {
  enum class kind { who, list, evict };
  kind what = kind::who;
  std::string name;  ///< or prefix, of a list
  std::uint64_t token = 0;
  bool now = false;
  bool holder_is_enough = false;  ///< the first who says that he holds ends it
};

/// On the pump's thread only.
class talk {
 public:
  explicit talk(pump& in) : in_(in) {}

  /// Answers that come within max(50 ms, 3 round trips), or, of an eviction, the first within four times that.
  spi::task<result<std::vector<fields>>> ask(question q);
  void take(std::string const& body);
  void connection_lost();
  /// To whoever evicted it.
  void answer_of(struct seat& s);

 private:
  struct pending {
    std::vector<fields> rows;
    bell enough;
    bool first_ends = false;
    bool holder_ends = false;
  };
  void reply_to(fields const& q);
  void evict(fields const& q);
  [[nodiscard]] fields row_of(struct seat& s) const;

  pump& in_;
  std::map<std::uint64_t, pending*> asked_;
  std::uint64_t next_ = 1;
};

}  // namespace leasehold::inline v0_1::rabbitmq
