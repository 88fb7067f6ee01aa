// Three candidates, one leader at a time. Leaders write a journal with the number of their term. The first leader is killed; the second is
// frozen between its check and its write, and wakes when the third leads: its late line carries an old term, and the journal refuses it. In
// the journal the terms never go back, and each has one leader; a follower sees the leaders in the same order.
//
//   leader [--store URL] [--database FILE|postgres://…] [--without-lock] [--size LINES_OF_THE_LAST_LEADER]
#include "database.hpp"
#include "stage.hpp"

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr int candidates = 3;
constexpr int fatal_line = 5;  // of the first two leaders
constexpr auto office = "office";

using write_line = std::function<void()>;

class candidate {
 public:
  candidate(uses::arguments const& given, int number)
      : given_(given),
        name_("candidate " + std::to_string(number)),
        patience_(number * 100ms),
        journal_(given.databases[0]) {}

  void stand() {
    auto const locks = leasehold::open(given_.store);
    leasehold::election election(locks, office, {.ttl = 2s, .pause = 100ms, .identity = name_});
    while (!is_over()) {
      try {
        election.lead([&](leasehold::term& term, std::stop_token) {
          while (!is_over()) {
            term.checkpoint();
            fate();
            journal_.fenced(office, term.number(), [&] { write(term.number()); });
          }
        });
      } catch (leasehold::lease_lost const& refused) {
        std::cout << name_ << ": " << refused.details().message() << std::endl;
      }
    }
  }
  /// Whoever sees no line of another for a while takes itself for the leader: what people write first.
  void stand_without_election() {
    while (!is_over()) {
      auto const seen = journal_.query("SELECT count(*) FROM journal").front();
      std::this_thread::sleep_for(patience_);
      if (journal_.query("SELECT count(*) FROM journal").front() != seen) continue;
      auto const term = static_cast<std::uint64_t>(journal_.number("SELECT coalesce(max(term), 0) + 1 FROM journal"));
      while (!is_over()) {
        fate();
        write(term);
      }
    }
  }

 private:
  void write(std::uint64_t term) {
    journal_.query("INSERT INTO journal VALUES ((SELECT count(*) FROM journal), $1, $2)",
                   {std::to_string(term), name_});
  }
  /// Between check and write: the first leader dies here, the second is frozen.
  void fate() {
    std::this_thread::sleep_for(5ms);
    if (++lines_ != fatal_line) return;
    auto const leaders = journal_.number("SELECT count(DISTINCT leader) FROM journal");
    if (leaders == 1) ::raise(SIGKILL);
    if (leaders == 2) ::raise(SIGSTOP);
  }
  bool is_over() { return journal_.number("SELECT count(*) FROM over") != 0; }

  uses::arguments const& given_;
  std::string name_;
  std::chrono::milliseconds patience_;  // without an election
  uses::database journal_;
  int lines_ = 0;
};

/// Waits until the third leader has written so many lines.
void wait_for_third(uses::database& journal, int lines) {
  auto const of_the_others = 2 * (fatal_line - 1);
  while (journal.number("SELECT count(*) FROM journal") < of_the_others + lines) std::this_thread::sleep_for(5ms);
}

/// What a follower sees while `stop` is not requested: false if a term was told after a later one.
bool follow(std::string const& store, std::stop_token stop) {
  auto const locks = leasehold::open(store);
  leasehold::election const election(locks, office);
  std::uint64_t newest = 0;
  bool in_order = true;
  auto const tell = [&](std::optional<leasehold::leader_info> const& now) {
    if (!now) return;
    std::cout << "follower: " << now->identity << " leads" << std::endl;
    in_order = in_order && now->term.value_or(0) > newest;
    newest = now->term.value_or(0);
  };
  election.observe(tell, stop, 20ms);
  return in_order;
}

}  // namespace

int main(int argc, char** argv) {
  uses::arguments const given(argc, argv, 20);
  {
    uses::database journal(given.databases[0]);
    journal.create_table("journal", "place int, term bigint, leader text");
    journal.create_table("over", "yes int");
  }
  uses::crew crew;
  std::vector<pid_t> all;
  for (int number = 1; number <= candidates; ++number) {
    all.push_back(crew.start([&, number] {
      candidate one(given, number);
      given.lock ? one.stand() : one.stand_without_election();
    }));
  }
  crew.open_gate();

  bool in_order = true;
  std::jthread follower;
  if (given.lock) follower = std::jthread([&](std::stop_token stop) { in_order = follow(given.store, stop); });
  uses::database journal(given.databases[0]);
  wait_for_third(journal, given.size);
  int frozen = 0;
  for (auto const one : all) frozen += uses::crew::thaw(one) ? 1 : 0;  // the second leader: its line comes late
  wait_for_third(journal, 2 * given.size);
  journal.query("INSERT INTO over VALUES (1)");
  int const ended_badly = crew.wait_for_all() - 1;  // one was killed
  if (follower.joinable()) follower = {};

  auto const lines = journal.number("SELECT count(*) FROM journal");
  auto const terms = journal.number("SELECT count(DISTINCT term) FROM journal");
  auto const wrong = journal.number(
      "SELECT count(*) FROM journal later WHERE EXISTS (SELECT 1 FROM journal WHERE place < later.place AND "
      "(term > later.term OR (term = later.term AND leader <> later.leader)))");
  std::cout << lines << " lines of " << terms << " terms; one leader killed, " << frozen << " frozen\n";
  if (frozen == 1 && ended_badly == 0 && wrong == 0 && in_order) return 0;
  std::cout << "BROKEN: " << wrong << " lines come after those of a later term, or of another leader of the same\n";
  return 1;
}
