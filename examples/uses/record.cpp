// Many processes change one row: each reads the balance, thinks, and writes what it should be now. The lock makes them do that one after the
// other. One of them is frozen between its reading and its writing, for longer than its lease; its late write carries an old token and the
// database refuses it.
//
//   record [--store URL] [--database FILE|postgres://…] [--without-lock] [--size DEPOSITS_OF_EACH]
#include "database.hpp"
#include "stage.hpp"

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;

namespace {

constexpr int clerks = 4;
constexpr auto account = "account/1";

using step = std::function<void()>;

void write_balance(uses::database& bank, long long balance) {
  bank.query("UPDATE account SET balance = $1 WHERE id = 1", {std::to_string(balance)});
}

/// One deposit of 1. `think` is where a process may be stopped for any length of time.
void deposit(leasehold::store const& locks, uses::database& bank, step const& think) {
  auto const lease = locks.acquire(account, {.ttl = 1s, .reason = "deposit"});
  long long balance = 0;
  // Reading with the token tells the database that this holder's time has begun: no earlier holder's write is taken after it.
  bank.fenced(account, lease.token(), [&] { balance = bank.number("SELECT balance FROM account WHERE id = 1"); });
  think();
  bank.fenced(account, lease.token(), [&] { write_balance(bank, balance + 1); });
}

void deposit_without_lock(uses::database& bank, step const& think) {
  auto const balance = bank.number("SELECT balance FROM account WHERE id = 1");
  think();
  write_balance(bank, balance + 1);
}

void clerk(uses::arguments const& given, bool sleepy) {
  uses::database bank(given.databases[0]);
  auto const locks = leasehold::open(given.store);
  int fenced_off = 0;
  for (int done = 0; done < given.size;) {
    auto const think = [&] {
      if (std::exchange(sleepy, false)) ::raise(SIGSTOP);
      std::this_thread::sleep_for(1ms);
    };
    try {
      if (given.lock) {
        deposit(locks, bank, think);
      } else {
        deposit_without_lock(bank, think);
      }
      ++done;
    } catch (leasehold::lease_lost const& refused) {
      ++fenced_off;  // nothing was written: read again, with a new lease
      std::cout << "process " << ::getpid() << ": " << refused.details().message() << std::endl;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  uses::arguments const given(argc, argv, 50);
  uses::database(given.databases[0]).create_table("account", "id int, balance int");
  uses::database(given.databases[0]).query("INSERT INTO account VALUES (1, 0)");

  uses::crew crew;
  auto const sleepy = crew.start([&] { clerk(given, true); });
  std::vector<pid_t> others;
  for (int i = 1; i < clerks; ++i) others.push_back(crew.start([&] { clerk(given, false); }));
  crew.open_gate();

  // The frozen one has read, and has not written. The others go on once its lease has expired; it wakes when they are done.
  int failed = crew.wait_until_stopped(sleepy) ? 0 : 1;
  for (auto const other : others) failed += crew.wait(other);
  crew.thaw(sleepy);
  failed += crew.wait_for_all();

  auto const deposits = static_cast<long long>(clerks) * given.size;
  auto const balance = uses::database(given.databases[0]).number("SELECT balance FROM account WHERE id = 1");
  std::cout << deposits << " deposits by " << clerks << " processes, the balance is " << balance << '\n';
  if (failed == 0 && balance == deposits) return 0;
  std::cout << "BROKEN: " << deposits - balance << " deposits are lost\n";
  return 1;
}
