// Workers share a table of tasks, and nobody hands them out: whoever gets a task's lock does it. One worker is killed (kill -9) in the middle
// of a task; another does that task, from its beginning. Each task ends with exactly one receipt.
//
// "Exactly once" is a property of the receipt: it and the mark "done" are one fenced transaction. What a task does outside of the database
// before that may happen again after a crash.
//
//   work_queue [--store URL] [--database FILE|postgres://…] [--without-lock] [--size TASKS]
#include "database.hpp"
#include "stage.hpp"

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr int workers = 4;
constexpr int deadly_task = 3;  // the third of the one that is killed: it stops there, until the others are at work

/// The tasks that are still to do, as this worker sees them now.
std::vector<std::string> open_tasks(uses::database& tasks) {
  return tasks.query("SELECT id FROM task WHERE done = 0 ORDER BY id");
}

void write_receipt(uses::database& tasks, std::string const& id) {
  tasks.query("INSERT INTO receipt VALUES ($1, $2)", {id, std::to_string(::getpid())});
  tasks.query("UPDATE task SET done = 1 WHERE id = $1", {id});
}

/// False if another worker has the task, or had it.
bool do_task(leasehold::store const& locks, uses::database& tasks, std::string const& id,
             std::function<void()> const& work) {
  auto const name = "task/" + id;
  auto lease = locks.try_acquire(name, {.ttl = 1s, .reason = "worker " + std::to_string(::getpid())});
  if (!lease) return false;
  // Looked at again, under the lock and with the token.
  bool done = false;
  tasks.fenced(name, lease->token(), [&] { done = tasks.number("SELECT done FROM task WHERE id = $1", {id}) != 0; });
  if (done) return false;
  work();
  tasks.fenced(name, lease->token(), [&] { write_receipt(tasks, id); });
  return true;
}

void worker(uses::arguments const& given, bool doomed) {
  uses::database tasks(given.databases[0]);
  auto const locks = leasehold::open(given.store);
  int begun = 0;
  auto const work = [&] {
    std::this_thread::sleep_for(2ms);
    if (doomed && ++begun == deadly_task) ::raise(SIGSTOP);
  };
  for (auto open = open_tasks(tasks); !open.empty(); open = open_tasks(tasks)) {
    int done = 0;
    for (auto const& id : open) {
      try {
        if (given.lock) {
          done += do_task(locks, tasks, id, work) ? 1 : 0;
        } else if (tasks.number("SELECT done FROM task WHERE id = $1", {id}) == 0) {
          work();
          write_receipt(tasks, id);
        }
      } catch (leasehold::lease_lost const&) {
        // This worker was too slow, and a later holder has the task: no receipt was written.
      }
    }
    if (done == 0)
      std::this_thread::sleep_for(20ms);  // the others have what is left, or the dead one's lease must expire
  }
}

}  // namespace

int main(int argc, char** argv) {
  uses::arguments const given(argc, argv, 60);
  {
    uses::database tasks(given.databases[0]);
    tasks.create_table("task", "id int, done int");
    tasks.create_table("receipt", "task int, worker int");
    for (int id = 1; id <= given.size; ++id) tasks.query("INSERT INTO task VALUES ($1, 0)", {std::to_string(id)});
  }
  uses::crew first;
  auto const doomed = first.start([&] { worker(given, true); });
  first.open_gate();
  uses::crew others;
  for (int i = 1; i < workers; ++i) others.start([&] { worker(given, false); });
  bool killed = first.wait_until_stopped(doomed);
  others.open_gate();

  uses::database tasks(given.databases[0]);
  while (tasks.number("SELECT count(*) FROM receipt") < given.size / 2) std::this_thread::sleep_for(1ms);
  ::kill(doomed, SIGKILL);
  killed = first.wait(doomed) == 128 + SIGKILL && killed;
  int const failed = others.wait_for_all();

  auto const receipts = tasks.number("SELECT count(*) FROM receipt");
  auto const wrong =
      tasks.number("SELECT count(*) FROM task WHERE (SELECT count(*) FROM receipt WHERE task = task.id) <> 1");
  std::cout << given.size << " tasks, " << workers << " workers, " << (killed ? "one killed in the middle, " : "")
            << receipts << " receipts\n";
  if (killed && failed == 0 && wrong == 0) return 0;
  std::cout << "BROKEN: " << wrong << " tasks have no receipt, or more than one\n";
  return 1;
}
