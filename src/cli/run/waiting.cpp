// Decides what is said while a run waits.
#include "run/waiting.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "view/lock_view.hpp"
#include "view/wall_clock.hpp"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace leasehold::cli {

namespace {

std::string sentence(event const& news) {
  auto text = joined({"waiting for ", printable(news.name)});
  if (news.holder) {
    text += joined({": held by ", printable(holder_in_sentence(*news.holder)), " for ", held_for(*news.holder)});
    if (news.holder->expires_at) text += joined({", renews until ", time_of_day(*news.holder->expires_at)});
  }
  if (news.ahead && *news.ahead > 0) text += joined({"; ", std::to_string(*news.ahead), " ahead of you"});
  return text;
}

std::string identity_of(event const& news) {
  if (!news.holder) return news.name;
  return joined({news.name, " ", news.holder->identity, " ", std::to_string(news.holder->token.value_or(0))});
}

/// The first `width` columns of UTF-8 text.
std::string_view cut(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    bool const starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts && width-- == 0) break;
  }
  return text.substr(0, end);
}

void write_stderr(std::string_view text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // only decoration
}

}  // namespace

waiting_news::waiting_news() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void waiting_news::on_event(event const& what) {
  if (what.kind != event_kind::waiting) return;
  std::lock_guard const hold(guard_);
  latest_ = what;
  ::eventfd_write(wake_.get(), 1);
}

std::optional<event> waiting_news::latest() {
  std::lock_guard const hold(guard_);
  eventfd_t count = 0;
  ::eventfd_read(wake_.get(), &count);
  return std::exchange(latest_, {});
}

waiting_line::waiting_line(bool quiet) : quiet_(quiet), animated_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

void waiting_line::show(event const& news) {
  news_ = news;
  text_ = sentence(news);
  if (animated_) return draw();
  if (quiet_ || identity_of(news) == said_holder_) return;
  said_holder_ = identity_of(news);
  say(text_);
}

void waiting_line::tick() {
  if (animated_ && news_) draw();
}

void waiting_line::draw() {
  winsize size{};
  bool const known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  auto const line = joined({sentence(*news_), "  [", in_words(clock::now() - since_), "]"});
  write_stderr(joined({"\r\x1b[K", cut(line, known ? size.ws_col - 1U : 79U)}));
  drawn_ = true;
}

void waiting_line::clear() {
  if (drawn_) write_stderr("\r\x1b[K");
  drawn_ = false;
}

}  // namespace leasehold::cli
