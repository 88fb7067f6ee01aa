// Decides how one schedule runs: clients, nodes and an operator in simulated time, on a wire that loses, repeats, delays and reorders,
// among faults at random; then everything is mended and everybody must be served. One seed is one schedule.
#pragma once

#include "model/schedule_client.hpp"

#include <queue>

namespace leasehold::test::quorum_schedules {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct outcome {
  std::string violation;  ///< empty: none
  int grants = 0;
  int forgotten = 0;  ///< nodes, one after another
  int lists = 0;      ///< changed
  std::uint64_t hash = 0;
};

template <class V>
class schedule {
 public:
  explicit schedule(std::uint64_t seed) : random_(seed) {
    int const nodes = random_.one_in(2) ? 3 : 5;
    bool const is_timed = !random_.one_in(3);
    bool const changes_list = is_timed && random_.one_in(4);
    bool const all_fast = random_.one_in(4);
    court_.judges_exclusion = is_timed;
    int const replaced = nodes / 2;  // a minority: the old list's majorities meet the new list
    for (int n = 0; n < nodes + replaced; ++n) {
      nodes_.emplace_back(random_.between({}, milliseconds(500)), all_fast ? 1009 : 990 + random_.below(20));
      lists_[0].push_back(n);
      lists_[1].push_back(n + replaced);
    }
    for (auto& l : lists_) l.resize(static_cast<std::size_t>(nodes));
    frozen_.resize(nodes_.size());
    down_.resize(nodes_.size());
    cut_.resize(nodes_.size() * client_count * 2);
    bool const hints = random_.one_in(2);
    for (int c = 0; c < client_count; ++c) clients_.emplace_back(c, court_, random_, lists_, hints);
    for (auto& n : nodes_) n.initialize(0, 0, start), n.save();
    loss_percent_ = std::array{0, 1, 5, 15}[static_cast<std::size_t>(random_.below(4))];
    slow_percent_ = std::array{0, 1, 5, 15}[static_cast<std::size_t>(random_.below(4))];
    plan(is_timed, changes_list);
  }

  outcome run(bool until_served = true) {
    for (int c = 0; c < client_count; ++c) wake(c);
    while (!events_.empty() && court_.violation.empty()) {
      auto const e = events_.top();
      if (e.at > start + safety_phase + liveness_phase) break;
      events_.pop();
      now_ = e.at;
      hash_ = (hash_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 0x100000001B3U +
              static_cast<std::uint64_t>(e.what);
      carry_out(e);
      if (is_healed_ && (!until_served || court_.served == expected())) break;
    }
    if (until_served && court_.violation.empty() && court_.served != expected())
      court_.accuse("somebody was not served");
    return {court_.violation, court_.grants, forgotten_, changes_, hash_};
  }

 private:
  static constexpr time_point start{seconds(10)};
  static constexpr duration safety_phase = seconds(8);
  static constexpr duration liveness_phase = seconds(25);

  enum class what : std::uint8_t {
    request,
    reply,
    tick,
    pause,
    die,
    freeze,
    kill,
    cut,
    expire,
    save,
    forget,
    step_clock,
    stop_all,
    change_list,
    heal
  };
  struct event {
    time_point at;
    std::uint64_t order;
    quorum_schedules::schedule<V>::what what;
    int client = 0;
    errand what_for{};
    duration length{};
    bool operator<(event const& o) const noexcept { return at != o.at ? at > o.at : order > o.order; }
  };

  void push(event e) {
    e.order = ++order_;
    events_.push(std::move(e));
  }
  void at_random(what w, int times, duration longest) {
    for (; times > 0; --times) {
      event e{start + random_.between({}, safety_phase), 0, w, random_.below(client_count)};
      e.what_for.node = random_.below(static_cast<int>(nodes_.size()));
      e.what_for.yes = random_.one_in(2);
      e.length = random_.between(milliseconds(1), longest);
      push(e);
    }
  }
  void plan(bool is_timed, bool changes_list) {
    if (!is_timed) at_random(what::expire, 50 << random_.below(5), {});
    if (random_.one_in(2)) at_random(what::pause, 1 + random_.below(6), seconds(3));
    if (random_.one_in(3)) at_random(what::die, 1 + random_.below(3), milliseconds(500));
    if (random_.one_in(2)) at_random(what::freeze, 1 + random_.below(4), seconds(3));
    if (random_.one_in(3)) at_random(what::kill, 1 + random_.below(3), seconds(2));
    if (random_.one_in(3)) at_random(what::cut, 1 + random_.below(12), seconds(3));
    if (is_timed && random_.one_in(2)) {
      at_random(what::save, 1 + random_.below(8), {});
      at_random(what::forget, 1 + random_.below(3), {});
    }
    if (!V::clocks_are_left_alone) at_random(what::step_clock, 3, seconds(2));
    if (changes_list) push({start + random_.between(seconds(1), seconds(5)), 0, what::stop_all});
    push({start + safety_phase, 0, what::heal});
  }

  void carry_out(event const& e) {
    auto const node = static_cast<std::size_t>(e.what_for.node);
    switch (e.what) {
      case what::request:
        return serve(e);
      case what::reply:
        return resume(
            e.client, [&](auto& c) { c.hear(e.what_for, now_); }, e);
      case what::tick:
        if (wakes_[static_cast<std::size_t>(e.client)] != e.what_for.round) return;
        return resume(
            e.client, [&](auto& c) { c.tick(now_); }, e);
      case what::pause:
        paused_[static_cast<std::size_t>(e.client)] = now_ + e.length;
        return;
      case what::die:
        clients_[static_cast<std::size_t>(e.client)].die(now_ + e.length);
        return wake(e.client);
      case what::freeze:
        frozen_[node] = now_ + e.length;
        return;
      case what::kill:
        down_[node] = now_ + e.length;
        return;
      case what::cut:
        cut_[link(e.client, e.what_for.node, e.what_for.yes)] = now_ + e.length;
        return;
      case what::expire:
        return nodes_[node].lose_the_key();
      case what::save:
        return nodes_[node].save();
      case what::forget:
        ++forgotten_;
        return nodes_[node].restart(e.what_for.yes);
      case what::step_clock:
        return nodes_[node].set_clock_forward(e.length);
      case what::stop_all:
        return stop_all(1);
      case what::change_list:
        return change_list(e.what_for.list);
      case what::heal:
        return heal();
    }
  }
  std::size_t link(int client, int node, bool back) const {
    return (static_cast<std::size_t>(client) * nodes_.size() + static_cast<std::size_t>(node)) * 2 + (back ? 1 : 0);
  }

  /// A client that is paused does nothing until it goes on; then it does all that is due, and reads the clock.
  template <class Step>
  void resume(int client, Step step, event const& e) {
    auto const until = paused_[static_cast<std::size_t>(client)];
    if (now_ < until) {
      auto later = e;
      later.at = until;
      return push(later);
    }
    step(clients_[static_cast<std::size_t>(client)]);
    wake(client);
  }
  void wake(int client) {
    auto& c = clients_[static_cast<std::size_t>(client)];
    for (auto& e : c.out) send({now_, 0, what::request, client, e});
    c.out.clear();
    event tick{std::max(now_, c.next()), 0, what::tick, client};
    tick.what_for.round = ++wakes_[static_cast<std::size_t>(client)];
    push(tick);
  }
  void send(event e) {
    bool const back = e.what == what::reply;
    if (now_ < cut_[link(e.client, e.what_for.node, back)] || random_.percent(loss_percent_)) return;
    e.at = now_ + delay();
    push(e);
    if (back || !random_.percent(2)) return;
    e.at = now_ + delay();  // the connection broke, and it was sent once more
    push(e);
  }
  duration delay() {
    return random_.percent(slow_percent_) ? random_.between(milliseconds(5), milliseconds(1500))
                                          : random_.between(microseconds(50), milliseconds(4));
  }
  void serve(event const& e) {
    auto const at = static_cast<std::size_t>(e.what_for.node);
    if (now_ < down_[at]) return;
    if (now_ < frozen_[at]) {
      auto later = e;
      later.at = frozen_[at];
      return push(later);
    }
    auto& node = nodes_[at];
    auto r = e;
    r.what = what::reply;
    auto& a = r.what_for;
    switch (a.what) {
      case verb::ask: {
        auto const said = node.ask(a.owner, a.value, a.ttl, a.list, now_);
        a.said = said.what;
        a.value = said.counter;
        break;
      }
      case verb::settle:
        a.yes = node.settle(a.owner, a.value, a.ttl, now_);
        break;
      case verb::renew: {
        bool const was_there = node.is_owned_by(a.owner, now_);
        a.yes = node.renew(a.owner, a.ttl, now_);
        if (a.yes && !was_there) court_.accuse("a renewal brought back what was gone");
        break;
      }
      case verb::release:
        return node.release(a.owner, now_);
      case verb::rejoin:
        return node.rejoin(a.value, a.list, now_);
      case verb::look: {
        auto const counter = node.look(a.list);
        a.yes = counter.has_value();
        a.value = counter.value_or(0);
        break;
      }
    }
    send(r);
  }

  /// An operator changes the list: all clients end, the longest TTL passes, the nodes are told. The last client comes back with the old one.
  void stop_all(int list) {
    auto const until = now_ + (V::waits_before_a_list_changes || is_healed_ ? max_ttl * 102 / 100 : milliseconds(1));
    for (int c = 0; c < client_count; ++c) {
      clients_[static_cast<std::size_t>(c)].retire(until + milliseconds(2), now_);
      wake(c);
    }
    event e{until, 0, what::change_list};
    e.what_for.list = list;
    push(e);
  }
  void change_list(int list) {
    ++changes_;
    int largest = 0;
    for (int const n : lists_[static_cast<std::size_t>(list)])
      largest = std::max(largest, nodes_[static_cast<std::size_t>(n)].look(list).value_or(0));
    for (int const n : lists_[static_cast<std::size_t>(list)])
      nodes_[static_cast<std::size_t>(n)].initialize(largest, list, now_);
    for (int c = 0; c < client_count - (is_healed_ ? 0 : 1); ++c) clients_[static_cast<std::size_t>(c)].use_list(list);
    list_ = list;
  }
  void heal() {
    is_healed_ = court_.is_mended = true;
    court_.served = 0;
    loss_percent_ = slow_percent_ = 0;
    for (auto* until : {&frozen_, &down_, &cut_}) std::fill(until->begin(), until->end(), time_point{});
    paused_ = {};
    auto const& list = lists_[static_cast<std::size_t>(list_)];
    auto const lost = std::count_if(list.begin(), list.end(),
                                    [&](int n) { return nodes_[static_cast<std::size_t>(n)].has_forgotten(); });
    if (static_cast<std::size_t>(lost) > list.size() - model::quorum_of(list.size())) stop_all(list_);
  }
  /// Those whose list is the nodes'.
  std::uint32_t expected() const {
    std::uint32_t out = 0;
    for (int c = 0; c < client_count; ++c) {
      if (clients_[static_cast<std::size_t>(c)].list() == list_) out |= 1U << c;
    }
    return out;
  }

  dice random_;
  court court_;
  std::vector<std::vector<int>> lists_{2};
  std::vector<timed_node<V>> nodes_;
  std::vector<timed_client<V>> clients_;
  std::priority_queue<event> events_;
  std::uint64_t order_ = 0;
  time_point now_ = start;
  std::array<int, client_count> wakes_{};
  std::array<time_point, client_count> paused_{};
  std::vector<time_point> frozen_, down_, cut_;
  int loss_percent_ = 0;
  int slow_percent_ = 0;
  int list_ = 0;
  int forgotten_ = 0;
  int changes_ = 0;
  bool is_healed_ = false;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace leasehold::test::quorum_schedules
