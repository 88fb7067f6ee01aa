// A thousand buyers in eight processes want two hundred seats. Each seat has a lock of its own, so buyers disturb each other only where they
// want the same one; the payment gateway in the middle bears four calls at a time, which a semaphore over all processes sees to. No seat is
// sold twice, none is lost, and every payment has its ticket.
//
//   booking [--store URL] [--database FILE|postgres://…] [--without-lock] [--size BUYERS, five for each seat]
#include "database.hpp"
#include "stage.hpp"

#include <atomic>
#include <chrono>
#include <iostream>
#include <new>
#include <string>
#include <thread>

#include <sys/mman.h>

using namespace std::chrono_literals;

namespace {

constexpr int offices = 8;
constexpr int buyers_per_seat = 5;
constexpr int calls_at_once = 4;

/// What the gateway sees, in memory that all processes share.
struct payment_gateway {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> paid = 0;

  void charge() {
    int const now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(1ms);
    ++paid;
    --inside;
  }
  void refund() { --paid; }
};

class office {
 public:
  office(uses::arguments const& given, payment_gateway& gateway)
      : lock_(given.lock),
        sales_(given.databases[0]),
        locks_(leasehold::open(given.store)),
        permits_(locks_, "gateway", calls_at_once, {.ttl = 5s}),
        gateway_(gateway) {}

  /// One customer: true with a ticket, false when everything is sold.
  bool serve(std::string const& buyer) {
    for (;;) {
      auto const free = sales_.query("SELECT id FROM seat WHERE sold = 0 ORDER BY id LIMIT 16");
      if (free.empty()) return false;
      for (auto const& seat : free) {
        if (lock_ ? sell(seat, buyer) : sell_without_lock(seat, buyer)) return true;
      }
      std::this_thread::sleep_for(1ms);  // others are buying these; they may yet fail
    }
  }

 private:
  /// False if another buyer has the seat, or is about to.
  bool sell(std::string const& seat, std::string const& buyer) {
    auto const name = "seat/" + seat;
    auto lease = locks_.try_acquire(name, {.ttl = 5s, .reason = buyer});
    if (!lease) return false;
    bool sold = false;
    sales_.fenced(name, lease->token(), [&] { sold = is_sold(seat); });  // looked at again, under the lock
    if (sold) return false;
    permits_.acquire();
    gateway_.charge();
    permits_.release();
    try {
      sales_.fenced(name, lease->token(), [&] { write_ticket(seat, buyer); });
    } catch (leasehold::lease_lost const&) {
      gateway_.refund();  // too slow: the seat is a later holder's
      return false;
    }
    return true;
  }
  bool sell_without_lock(std::string const& seat, std::string const& buyer) {
    if (is_sold(seat)) return false;
    gateway_.charge();
    sales_.transaction([&] { write_ticket(seat, buyer); });
    return true;
  }
  bool is_sold(std::string const& seat) { return sales_.number("SELECT sold FROM seat WHERE id = $1", {seat}) != 0; }
  void write_ticket(std::string const& seat, std::string const& buyer) {
    sales_.query("INSERT INTO ticket VALUES ($1, $2)", {seat, buyer});
    sales_.query("UPDATE seat SET sold = 1 WHERE id = $1", {seat});
  }

  bool lock_;
  uses::database sales_;
  leasehold::store locks_;
  leasehold::semaphore permits_;
  payment_gateway& gateway_;
};

void open_office(uses::arguments const& given, payment_gateway& gateway, int number) {
  office desk(given, gateway);
  for (int buyer = number; buyer < given.size; buyer += offices) desk.serve("buyer " + std::to_string(buyer));
}

}  // namespace

int main(int argc, char** argv) {
  uses::arguments const given(argc, argv, 1000);
  auto const seats = given.size / buyers_per_seat;
  {
    uses::database sales(given.databases[0]);
    sales.create_table("seat", "id int, sold int");
    sales.create_table("ticket", "seat int, buyer text");
    for (int id = 1; id <= seats; ++id) sales.query("INSERT INTO seat VALUES ($1, 0)", {std::to_string(id)});
  }
  void* const shared =
      ::mmap(nullptr, sizeof(payment_gateway), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto& gateway = *new (shared) payment_gateway;

  uses::crew crew;
  for (int number = 0; number < offices; ++number) crew.start([&, number] { open_office(given, gateway, number); });
  crew.open_gate();
  int const failed = crew.wait_for_all();

  uses::database sales(given.databases[0]);
  auto const tickets = sales.number("SELECT count(*) FROM ticket");
  auto const twice =
      sales.number("SELECT count(*) FROM (SELECT seat FROM ticket GROUP BY seat HAVING count(*) > 1) AS doubled");
  std::cout << given.size << " buyers, " << seats << " seats, " << tickets << " tickets, " << gateway.paid
            << " payments, at most " << gateway.most << " at once\n";
  if (failed == 0 && tickets == seats && twice == 0 && gateway.paid == seats && gateway.most <= calls_at_once) return 0;
  std::cout << "BROKEN: " << twice << " seats are sold twice; the gateway bears " << calls_at_once
            << " calls at once\n";
  return 1;
}
