#include "redlock_peers.hpp"

#include "engines/redis/node.hpp"

#include <hiredis/hiredis.h>

#include <poll.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace bench {
namespace {

using namespace leasehold::redis;

constexpr std::string_view owner = "0123456789abcdef0123456789abcdef";

struct free_reply {
  void operator()(redisReply* r) const noexcept { freeReplyObject(r); }
};
using reply_pointer = std::unique_ptr<redisReply, free_reply>;

void check(redisReply const* r) {
  if (r == nullptr || r->type == REDIS_REPLY_ERROR) throw std::runtime_error(r == nullptr ? "no reply" : r->str);
}

std::string field(redisContext* from, char const* name) {
  reply_pointer const r(static_cast<redisReply*>(redisCommand(from, "HGET lh:node %s", name)));
  check(r.get());
  return r->str == nullptr ? std::string() : std::string(r->str, r->len);
}

}  // namespace

void hiredis_quorum::hang_up::operator()(redisContext* c) const noexcept { redisFree(c); }

hiredis_quorum::hiredis_quorum(std::vector<std::string> const& sockets) {
  for (auto const& s : sockets) {
    link l;
    l.context.reset(redisConnectUnix(s.c_str()));
    if (!l.context || l.context->err != 0) throw std::runtime_error("hiredis: cannot connect");
    auto const& ask = node_ask_script();
    reply_pointer const loaded(
        static_cast<redisReply*>(redisCommand(l.context.get(), "FUNCTION LOAD REPLACE %s", ask.library.c_str())));
    check(loaded.get());
    reply_pointer const known(
        static_cast<redisReply*>(redisCommand(l.context.get(), "SCRIPT LOAD %s", node_release_script().text.c_str())));
    check(known.get());
    links_.push_back(std::move(l));
  }
  list_ = field(links_.front().context.get(), "list");
  words_ = field(links_.front().context.get(), "words");
  hint_ = std::stoull(field(links_.front().context.get(), "top")) + 1'000'000'000;
}

int hiredis_quorum::take(link& from) {
  int current = 0;
  void* any = nullptr;
  while (from.owed > 0 && redisGetReplyFromReader(from.context.get(), &any) == REDIS_OK && any != nullptr) {
    reply_pointer const r(static_cast<redisReply*>(any));
    check(r.get());
    if (--from.owed == 0) ++current;
    any = nullptr;
  }
  return current;
}

void hiredis_quorum::append(std::vector<std::string_view> const& words) {
  std::vector<char const*> texts;
  std::vector<std::size_t> sizes;
  for (auto const w : words) {
    texts.push_back(w.data());
    sizes.push_back(w.size());
  }
  for (auto& l : links_)
    redisAppendCommandArgv(l.context.get(), static_cast<int>(words.size()), texts.data(), sizes.data());
}

/// Sends what was appended, and goes on when a majority has answered all of it.
void hiredis_quorum::await_majority(int asked) {
  for (auto& l : links_) {
    int done = 0;
    while (done == 0) {
      if (redisBufferWrite(l.context.get(), &done) != REDIS_OK) throw std::runtime_error("hiredis: write");
    }
    l.owed += asked;
  }
  std::array<pollfd, 9> fds{};
  for (std::size_t answered = 0; answered < links_.size() / 2 + 1;) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
      bool const waits = links_[i].owed > 0;
      fds[i] = {waits ? links_[i].context->fd : -1, POLLIN, 0};
    }
    if (::poll(fds.data(), links_.size(), 5000) <= 0) throw std::runtime_error("no majority");
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if ((fds[i].revents & POLLIN) == 0) continue;
      if (redisBufferRead(links_[i].context.get()) != REDIS_OK) throw std::runtime_error("hiredis: read");
      answered += static_cast<std::size_t>(take(links_[i]));
    }
  }
}

void hiredis_quorum::pairs(std::vector<std::string> const& names) {
  auto const description = "o=" + std::string(owner) + "&ttl=30000&d=0&id=bench";
  std::vector<node_keys> keys;
  for (auto const& name : names) keys.emplace_back(name);
  for (auto const& each : keys) {
    auto const hint = std::to_string(++hint_);
    std::vector<std::string_view> ask{"FCALL", node_ask_script().function, "7"};
    for (auto const key : each.all()) ask.push_back(key);
    ask.insert(ask.end(), {owner, "30000", "0", "0", hint, description, "60000", list_, words_, "", "0", "lh:c:0"});
    append(ask);
  }
  await_majority(static_cast<int>(names.size()));
  for (auto const& each : keys) {
    std::vector<std::string_view> release{"EVALSHA", node_release_script().sha, "7"};
    for (auto const key : each.all()) release.push_back(key);
    release.insert(release.end(), {owner, "0", "0", "0", ""});
    append(release);
  }
  await_majority(static_cast<int>(names.size()));
}

}  // namespace bench
