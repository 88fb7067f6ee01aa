// Decides how a run waits: a thread waits in the engine's line while this one listens to the user, who can leave at any time.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/notify.hpp"
#include "run/supervisor.hpp"
#include "run/waiting.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <exception>
#include <memory>
#include <optional>
#include <thread>

namespace leasehold::cli {

namespace {

class line_wait {
 public:
  line_wait(supervision& me, lease_set& leases, std::shared_ptr<waiting_news> news)
      : me_(me), leases_(leases), news_(std::move(news)), line_(me.plan.quiet || me.plan.json) {}

  void run() {
    std::jthread worker([this](std::stop_token stop) { wait(std::move(stop)); });
    while (!is_done()) {
      pollfd events[] = {{me_.front.get(), POLLIN, 0}, {news_->get(), POLLIN, 0}, {done_.get(), POLLIN, 0}};
      int const ready = ::poll(events, 3, line_.animated() ? 1000 : -1);
      if (ready == 0 && !me_.front_stopped) line_.tick();
      if (events[0].revents != 0) hear_front(worker);
      if (events[1].revents != 0) hear_news();
    }
    worker.join();
    line_.clear();
    if (signal_) throw cancelled_by_signal{*signal_};
    if (abandoned_) throw abandoned{};
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void wait(std::stop_token stop) {
    try {
      auto const until = me_.plan.wait ? me_.report.asked_at + *me_.plan.wait : time_point::max();
      leases_.wait_for_rest(until, std::move(stop));
    } catch (...) {
      failure_ = std::current_exception();
    }
    ::eventfd_write(done_.get(), 1);
  }

  bool is_done() const {
    eventfd_t count = 0;
    return ::eventfd_read(done_.get(), &count) == 0;
  }

  void hear_front(std::jthread& worker) {
    while (auto const m = me_.front.receive()) {
      if (m->what == word::signal && m->number != SIGWINCH) {
        signal_ = m->number;
        worker.request_stop();
      } else if (m->what == word::stop) {
        me_.front_stopped = true;
        line_.clear();
        me_.front.send(word::stopped, SIGTSTP);
      } else if (m->what == word::resume) {
        me_.front_stopped = false;
        line_.tick();
      }
    }
    if (!me_.front.closed()) return;
    abandoned_ = true;
    worker.request_stop();
  }

  void hear_news() {
    auto const news = news_->latest();
    if (!news || me_.front_stopped) return;
    line_.show(*news);
    if (systemd_listens()) me_.front.send(word::status, 0, line_.text());
  }

  supervision& me_;
  lease_set& leases_;
  std::shared_ptr<waiting_news> news_;
  waiting_line line_;
  descriptor done_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::exception_ptr failure_;
  std::optional<int> signal_;
  bool abandoned_ = false;
};

}  // namespace

void wait_for_resume(supervision& me, lease_set const& leases) {
  while (me.front_stopped) {
    pollfd events[] = {{me.front.get(), POLLIN, 0}, {leases.loss_descriptor(), POLLIN, 0}};
    ::poll(events, 2, -1);
    while (auto const m = me.front.receive()) {
      if (m->what == word::signal && m->number != SIGWINCH) throw cancelled_by_signal{m->number};
      if (m->what == word::resume) me.front_stopped = false;
    }
    if (me.front.closed()) throw abandoned{};
    if (leases.held()) continue;
    throw problem{me.plan.lost_exit_code,
                  "LH-LEASE-LOST",
                  joined({"lost the lease of ", leases.what_is_lost(), " before the job was started"}),
                  {}};
  }
}

void wait_in_line(supervision& me, store const& where, lease_set& leases) {
  auto const news = std::make_shared<waiting_news>();
  where.observe(news);
  line_wait{me, leases, news}.run();
}

}  // namespace leasehold::cli
