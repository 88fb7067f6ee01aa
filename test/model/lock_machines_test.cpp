// Decides, state by state, that the sequential lock machine keeps readers, a writer and permits apart, serves its line, and that taking several
// names in one order cannot end in a circle. Every order of steps of a few clients, each reachable state once. Time stands still: expiry is
// looked at elsewhere.
#include "engines/mem/lock_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace leasehold::test {
namespace {

/// A client goes round: takes its names in order, then gives them back in reverse.
struct script {
  std::vector<std::string> names;
  leasehold::mode mode;
};

struct world {
  mem::lock_table table;
  std::vector<std::size_t> held;  // by client: how many of its names
  std::vector<bool> gives_back;
  std::uint64_t last_token = 0;
};

class exploration {
 public:
  explicit exploration(std::vector<script> clients) : clients_(std::move(clients)) {}

  /// Empty, or what is wrong and how it comes to it.
  std::string run() {
    world start;
    start.held.resize(clients_.size());
    start.gives_back.resize(clients_.size());
    look(start);
    return wrong_;
  }
  [[nodiscard]] std::size_t states() const { return seen_.size(); }

 private:
  static mem::owner_id owner(std::size_t client, std::size_t name) { return 10 * (client + 1) + name; }

  void look(world const& at) {
    if (!wrong_.empty() || !seen_.insert(encoded(at)).second) return;
    bool moved = false;
    for (std::size_t c = 0; c < clients_.size(); ++c) {
      for (bool const leaves : {false, true}) {
        world next = at;
        path_.push_back((leaves ? "leave " : "step ") + std::to_string(c));
        bool const advanced = leaves ? leave_line(next, c) : step(next, c);
        moved = moved || (advanced && !leaves);
        if (auto const what = broken(next); !what.empty() && wrong_.empty()) wrong_ = what + " after " + told();
        look(next);
        path_.pop_back();
      }
    }
    if (!moved && wrong_.empty()) wrong_ = "nobody can go on after " + told();
  }

  /// True: it got or gave back a name.
  bool step(world& w, std::size_t c) {
    auto const& mine = clients_[c];
    if (w.gives_back[c]) {
      auto const n = --w.held[c];
      w.gives_back[c] = n > 0;
      return w.table.withdraw(now, mine.names[n], owner(c, n), {}) == mem::departure::released;
    }
    auto const n = w.held[c];
    mem::lock_request asked{
        .owner = owner(c, n), .mode = mine.mode, .ttl = std::chrono::hours(1), .lock_delay = {}, .who = {}};
    asked.who.identity = std::to_string(c);
    auto const first = w.table.admissible(now, mine.names[n]);
    auto const answer = w.table.attempt(now, mine.names[n], asked, true);
    if (!answer) {
      wrong_ = "refused as another kind after " + told();
      return false;
    }
    auto const* const grant = std::get_if<spi::granted>(&*answer);
    if (grant == nullptr) {
      if (std::ranges::find(first, owner(c, n)) != first.end()) wrong_ = "called and refused after " + told();
      return false;
    }
    if (*grant->token <= w.last_token) wrong_ = "an old token after " + told();
    w.last_token = *grant->token;
    w.gives_back[c] = ++w.held[c] == mine.names.size();
    return true;
  }

  /// A waiter gives up; whoever comes back stands at the end.
  bool leave_line(world& w, std::size_t c) {
    if (w.gives_back[c]) return false;
    auto const n = w.held[c];
    return w.table.withdraw(now, clients_[c].names[n], owner(c, n), {}) == mem::departure::left_line;
  }

  std::string broken(world& w) const {
    std::set<std::string> names;
    for (auto const& c : clients_) names.insert(c.names.begin(), c.names.end());
    for (auto const& name : names) {
      auto const info = w.table.inspect(now, name);
      auto const n = info.holders.size();
      if (info.mode.is_exclusive() && n > 1) return "two writers of " + name;
      if (info.mode.is_semaphore() && n > info.mode.capacity) return "too many permits of " + name;
      std::size_t writers = 0;
      for (auto const& h : info.holders) writers += clients_[std::stoul(h.identity)].mode.is_exclusive();
      if (writers > 0 && n > 1) return "a writer beside others in " + name;
      // INVARIANT: a free name with a line calls the first.
      if (n == 0 && !info.waiters.empty() && w.table.admissible(now, name).empty())
        return "a line that nobody serves in " + name;
    }
    return {};
  }

  std::string encoded(world& w) const {
    std::string key;
    std::set<std::string> names;
    for (auto const& c : clients_) names.insert(c.names.begin(), c.names.end());
    for (auto const& name : names) {
      auto info = w.table.inspect(now, name);
      std::ranges::sort(info.holders, {}, &holder_info::identity);
      key += name + ":";
      for (auto const& h : info.holders) key += h.identity;
      key += "<";
      for (auto const& q : info.waiters) key += q.identity;
    }
    for (std::size_t c = 0; c < clients_.size(); ++c) key += std::to_string(w.held[c]) + (w.gives_back[c] ? "-" : "+");
    return key;
  }
  std::string encoded(world const& at) const {
    world copy = at;
    return encoded(copy);
  }
  [[nodiscard]] std::string told() const {
    std::string out;
    for (auto const& p : path_) out += p + "; ";
    return out;
  }

  static constexpr time_point now = time_point{} + std::chrono::hours(1);
  std::vector<script> clients_;
  std::set<std::string> seen_;
  std::vector<std::string> path_;
  std::string wrong_;
};

constexpr auto writer = mode::exclusive();
constexpr auto reader = mode::reader();

TEST(lock_machines, SHARED_8_readers_and_writers_in_every_order) {
  exploration all({{{"x"}, writer}, {{"x"}, writer}, {{"x"}, reader}, {{"x"}, reader}, {{"x"}, reader}});
  EXPECT_EQ(all.run(), "");
  EXPECT_GT(all.states(), 500U);
}

TEST(lock_machines, SHARED_4_permits_in_every_order) {
  for (std::uint32_t const capacity : {1U, 2U, 3U}) {
    auto const permit = mode::semaphore(capacity);
    exploration all({{{"x"}, permit}, {{"x"}, permit}, {{"x"}, permit}, {{"x"}, permit}, {{"x"}, permit}});
    EXPECT_EQ(all.run(), "") << capacity;
    EXPECT_GT(all.states(), 100U);
  }
}

TEST(lock_machines, MULTI_1_names_taken_in_one_order_never_end_in_a_circle) {
  exploration all({{{"a", "b", "c"}, writer}, {{"a", "c"}, writer}, {{"b", "c"}, writer}, {{"a", "b"}, reader}});
  EXPECT_EQ(all.run(), "");
  EXPECT_GT(all.states(), 300U);
}

TEST(lock_machines, MULTI_5_opposite_orders_do_and_the_exploration_finds_it) {
  exploration all({{{"a", "b"}, writer}, {{"b", "a"}, writer}});
  EXPECT_NE(all.run().find("nobody can go on"), std::string::npos);
}

}  // namespace
}  // namespace leasehold::test
