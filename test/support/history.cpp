#include "support/history.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace leasehold::test {
namespace {

using group = std::vector<operation const*>;

std::string describe(operation const& o) {
  auto const at = [](time_point t) {
    return t == time_point::max() ? std::string("-") : std::to_string(t.time_since_epoch().count());
  };
  std::string mode = o.mode.is_exclusive() ? "exclusive" : o.mode.is_reader() ? "reader" : "permit";
  return "client " + std::to_string(o.client) + " " + mode + " of \"" + o.name + "\" token " +
         (o.token ? std::to_string(*o.token) : "none") + " invoked " + at(o.invoked) + " returned " + at(o.returned) +
         " held until " + at(o.held_until);
}

bool relied_on(operation const& o) { return o.outcome == outcome::granted && o.held_until > o.returned; }
bool compatible(mode a, mode b) { return (a.is_reader() && b.is_reader()) || (a.is_semaphore() && b.is_semaphore()); }

class checker {
 public:
  explicit checker(rules const& which) : which_(which) {}

  void check(group const& all) {
    check_form(all);
    check_exclusion(all);
    if (which_.tokens) check_tokens(all);
    if (which_.refusals) check_refusals(all);
  }
  std::vector<violation> take() { return std::move(found_); }

 private:
  void add(violation_kind kind, std::string text) { found_.push_back({kind, std::move(text)}); }

  void check_form(group const& all) {
    for (auto const* o : all) {
      if (o->returned < o->invoked) add(violation_kind::malformed, describe(*o) + ": returned before it was invoked");
      auto const lost = std::ranges::find(o->sightings, false, &sighting::held);
      if (std::find_if(lost, o->sightings.end(), [](auto const& s) { return s.held; }) != o->sightings.end()) {
        add(violation_kind::resurrected, describe(*o) + ": held again after it was lost");
      }
    }
  }

  void check_exclusion(group const& all) {
    struct edge {
      time_point at;
      bool begins;
      operation const* who;
    };
    std::vector<edge> edges;
    for (auto const* o : all) {
      if (!relied_on(*o)) continue;
      edges.push_back({o->returned, true, o});
      edges.push_back({o->held_until, false, o});
    }
    std::ranges::stable_sort(edges, [](edge const& a, edge const& b) {
      return a.at != b.at ? a.at < b.at
                          : !a.begins && b.begins;  // what ends at an instant makes room for what begins at it
    });
    std::set<operation const*> now;
    for (auto const& e : edges) {
      if (e.begins)
        now.insert(e.who);
      else
        now.erase(e.who);
      if (e.begins) check_company(*e.who, now);
    }
  }

  void check_company(operation const& newcomer, std::set<operation const*> const& now) {
    std::uint32_t capacity = mode::unbounded;
    for (auto const* o : now) {
      if (o != &newcomer && !compatible(o->mode, newcomer.mode)) {
        add(violation_kind::overlap, describe(newcomer) + " while held: " + describe(*o));
      }
      if (o->mode.is_semaphore()) capacity = std::min(capacity, o->mode.capacity);
    }
    if (newcomer.mode.is_semaphore() && now.size() > capacity) {
      add(violation_kind::over_capacity,
          describe(newcomer) + ": " + std::to_string(now.size()) + " permits of " + std::to_string(capacity));
    }
  }

  // Of two grants, one that ended before the other was asked for has the smaller token; so has, of two that exclude each other,
  // the one that was relied on first. Those who may hold together may share one.
  void check_tokens(group const& all) {
    group granted;
    for (auto const* o : all) {
      if (o->outcome != outcome::granted) continue;
      if (o->token)
        granted.push_back(o);
      else
        add(violation_kind::token_missing, describe(*o));
    }
    std::ranges::stable_sort(granted, {}, &operation::returned);
    std::vector<leaders> of_all(1);
    leaders of_relied_on;
    for (auto const* o : granted) {
      auto const asked_after =
          std::ranges::upper_bound(granted, o->invoked, {}, &operation::returned) - granted.begin();
      // INVARIANT: who returned before `o` was invoked comes before it in this order.
      auto const known = std::min(static_cast<std::size_t>(asked_after), of_all.size() - 1);
      expect_larger(*o, of_all[known], true);
      if (relied_on(*o)) expect_larger(*o, of_relied_on, false);
      of_all.push_back(of_all.back());
      of_all.back().add(*o);
      if (relied_on(*o)) of_relied_on.add(*o);
    }
  }

  /// The grants with the largest tokens so far, one of each kind.
  struct leaders {
    std::array<operation const*, 3> by_kind{};
    void add(operation const& o) {
      auto& best = by_kind[o.mode.is_exclusive() ? 0U : o.mode.is_reader() ? 1U : 2U];
      if (best == nullptr || *o.token > *best->token) best = &o;
    }
  };

  void expect_larger(operation const& later, leaders const& before, bool with_company) {
    for (auto const* first : before.by_kind) {
      if (first == nullptr) continue;
      bool const together = compatible(first->mode, later.mode);
      if (together && !with_company) continue;
      bool const grows = together ? *later.token >= *first->token : *later.token > *first->token;
      if (!grows) add(violation_kind::token_order, describe(later) + " after " + describe(*first));
    }
  }

  void check_refusals(group const& all) {
    for (auto const* no : all) {
      if (no->outcome != outcome::refused) continue;
      bool const in_the_way = std::ranges::any_of(all, [&](operation const* o) {
        return o != no && o->outcome != outcome::failed && o->invoked <= no->returned && o->gone_by >= no->invoked;
      });
      if (!in_the_way) add(violation_kind::groundless_refusal, describe(*no));
    }
  }

  rules which_;
  std::vector<violation> found_;
};

}  // namespace

std::vector<violation> check_history(std::span<operation const> history, rules const& which) {
  std::map<std::string_view, group> by_name;
  for (auto const& o : history) by_name[o.name].push_back(&o);
  checker c(which);
  for (auto const& [name, all] : by_name) c.check(all);
  return c.take();
}

std::string to_string(std::vector<violation> const& all) {
  constexpr std::size_t shown_max = 5;
  std::string text;
  for (auto const& v : std::span(all).first(std::min(all.size(), shown_max))) text += v.text + "\n";
  if (all.size() > shown_max) text += "and " + std::to_string(all.size() - shown_max) + " more\n";
  return text;
}

}  // namespace leasehold::test
