// Money moves between two banks, each with a database of its own; no transaction spans both. Both accounts' locks are taken as one, and every
// order has a key that says whether it has been booked. One process is killed between the two commits: the next holder finds the order
// half-done, and finishes it. No money appears or disappears, and each order is booked once.
//
//   transfer [--store URL] [--database FILE|postgres://… --database …] [--without-lock] [--size ORDERS]
#include "database.hpp"
#include "stage.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr int clerks = 4;
constexpr int deadly_order =
    3;  // the third of the clerk that is killed: it stops there, and is killed when the others begin
constexpr int amount = 5;
constexpr auto alice = "north/alice";
constexpr auto bob = "south/bob";
enum state { open, debited, done };  // of an order

class clerk {
 public:
  clerk(uses::arguments const& given, int number, bool doomed)
      : lock_(given.lock),
        number_(number),
        doomed_(doomed),
        north_(given.databases[0]),
        south_(given.databases[1]),
        locks_(leasehold::open(given.store)) {}

  void work() {
    // Its own share first, then what others have left.
    auto const next = "SELECT id FROM orders WHERE state <> 2 ORDER BY CASE WHEN id % " + std::to_string(clerks) +
                      " = " + std::to_string(number_) + " THEN 0 ELSE 1 END, id LIMIT 1";
    for (auto order = north_.query(next); !order.empty(); order = north_.query(next)) {
      try {
        if (lock_) both_ = leasehold::acquire_all(locks_, {alice, bob}, {.ttl = 1s, .reason = "order"});
        carry_out(order.front());
      } catch (leasehold::lease_lost const&) {
        // Too slow: what was committed stays, and a later holder goes on from there.
      }
      both_.reset();
    }
  }

 private:
  /// From wherever an earlier holder has left it.
  void carry_out(std::string const& order) {
    long long state = 0, booked = 0, of_alice = 0, of_bob = 0;
    with_token(north_, alice, [&] {
      state = north_.number("SELECT state FROM orders WHERE id = $1", {order});
      of_alice = north_.number("SELECT balance FROM account");
    });
    with_token(south_, bob, [&] {
      booked = south_.number("SELECT count(*) FROM booked WHERE order_id = $1", {order});
      of_bob = south_.number("SELECT balance FROM account");
    });
    if (state == open) {
      with_token(north_, alice, [&] {
        north_.query("UPDATE account SET balance = $1", {std::to_string(of_alice - amount)});
        north_.query("UPDATE orders SET state = 1 WHERE id = $1", {order});
      });
    }
    between_the_commits();
    if (booked == 0 && state != done) {
      with_token(south_, bob, [&] {
        south_.query("UPDATE account SET balance = $1", {std::to_string(of_bob + amount)});
        south_.query("INSERT INTO booked VALUES ($1)", {order});
      });
    }
    with_token(north_, alice, [&] { north_.query("UPDATE orders SET state = 2 WHERE id = $1", {order}); });
  }
  void between_the_commits() {
    std::this_thread::sleep_for(1ms);
    if (doomed_ && ++begun_ == deadly_order) ::raise(SIGSTOP);
  }
  /// Each bank compares the token of its own account.
  void with_token(uses::database& bank, char const* account, std::function<void()> const& step) {
    if (both_) {
      bank.fenced(account, both_->token(account), step);
    } else {
      bank.transaction(step);
    }
  }

  bool lock_;
  int number_;
  bool doomed_;
  int begun_ = 0;
  uses::database north_;
  uses::database south_;
  leasehold::store locks_;
  std::optional<leasehold::multi_lease> both_;
};

void open_banks(uses::arguments const& given) {
  uses::database north(given.databases[0]);
  uses::database south(given.databases[1]);
  north.create_table("account", "balance int");
  north.create_table("orders", "id int, state int");
  south.create_table("account", "balance int");
  south.create_table("booked", "order_id int");
  north.query("INSERT INTO account VALUES ($1)", {std::to_string(given.size * amount)});
  south.query("INSERT INTO account VALUES (0)");
  for (int id = 0; id < given.size; ++id) north.query("INSERT INTO orders VALUES ($1, 0)", {std::to_string(id)});
}

}  // namespace

int main(int argc, char** argv) {
  uses::arguments const given(argc, argv, 60, 2);
  open_banks(given);
  uses::crew first;
  auto const doomed = first.start([&] { clerk(given, 0, true).work(); });
  first.open_gate();
  uses::crew others;
  for (int number = 1; number < clerks; ++number) others.start([&, number] { clerk(given, number, false).work(); });
  bool killed = first.wait_until_stopped(doomed);
  others.open_gate();
  ::kill(doomed, SIGKILL);
  killed = first.wait(doomed) == 128 + SIGKILL && killed;
  int const failed = others.wait_for_all();

  uses::database north(given.databases[0]);
  uses::database south(given.databases[1]);
  auto const all = given.size * amount;
  auto const left = north.number("SELECT balance FROM account");
  auto const arrived = south.number("SELECT balance FROM account");
  auto const booked = south.number("SELECT count(*) FROM booked");
  std::cout << given.size << " orders of " << amount << ", " << (killed ? "one clerk killed between the commits, " : "")
            << booked << " booked; left: " << left << ", arrived: " << arrived << '\n';
  if (killed && failed == 0 && booked == given.size && left == 0 && arrived == all) return 0;
  std::cout << "BROKEN: " << all << " should have arrived, and nothing be left\n";
  return 1;
}
