// Decides how a world is explored: every state that can be reached, each once, until there is no more or something is wrong.
#pragma once

#include "model/encoded.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace leasehold::test::quorum_model {

struct finding {
  std::string violation;  ///< empty: none
  std::string path;       ///< how it comes to it
  std::uint64_t states = 0;
  int grants = 0;  ///< the most that one run saw
  bool renewed = false;
  bool exhausted = false;
};

template <class V>
class explorer {
 public:
  explicit explorer(bounds const& of, std::uint64_t states_most = UINT64_MAX) : bounds_(of), most_(states_most) {}

  finding run() {
    world<V> const start(bounds_);
    seen_.insert(start.encoded());
    look(start);
    found_.states = seen_.size();
    found_.exhausted = found_.violation.empty() && seen_.size() < most_;
    return found_;
  }

 private:
  void look(world<V> const& at) {
    at.each_step([this](world<V> const& next, std::string what) {
      if (!found_.violation.empty() || seen_.size() >= most_) return;
      if (!next.violation().empty()) {
        found_.violation = next.violation();
        for (auto const& step : path_) found_.path += step + "; ";
        found_.path += what;
        return;
      }
      auto const key = next.encoded();
      if (key.overflow()) {
        found_.violation = "the encoding is too narrow";
        return;
      }
      found_.grants = std::max(found_.grants, next.grants());
      if (!seen_.insert(key)) return;
      found_.renewed = found_.renewed || next.was_renewed();
      path_.push_back(std::move(what));
      look(next);
      path_.pop_back();
    });
  }

  bounds const bounds_;
  std::uint64_t const most_;
  state_set seen_;
  std::vector<std::string> path_;
  finding found_;
};

}  // namespace leasehold::test::quorum_model
