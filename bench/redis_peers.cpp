#include "redis_peers.hpp"

#include "engines/redis/names.hpp"
#include "engines/redis/scripts.hpp"

#include <hiredis/hiredis.h>

#include <memory>
#include <stdexcept>

namespace bench {
namespace {

using namespace leasehold::redis;

constexpr std::string_view owner = "0123456789abcdef0123456789abcdef";
constexpr std::string_view ttl = "30000";

struct free_reply {
  void operator()(redisReply* r) const noexcept { freeReplyObject(r); }
};

std::vector<std::string_view> call(script const& what, name_keys const& keys,
                                   std::vector<std::string_view> const& arguments) {
  bool const is_function = !what.function.empty();
  std::vector<std::string_view> words{is_function ? "FCALL" : "EVALSHA", is_function ? what.function : what.sha, "7"};
  words.insert(words.end(), {keys.lock, keys.line, keys.waiters, keys.shared, keys.metadata, guard_key, index_key});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

}  // namespace

void hiredis_link::hang_up::operator()(redisContext* c) const noexcept { redisFree(c); }

hiredis_link::hiredis_link(std::string const& socket) : link_(redisConnectUnix(socket.c_str())) {
  if (!link_ || link_->err != 0) throw std::runtime_error("hiredis: cannot connect");
  for (auto const* s : {&acquire_script(), &withdraw_script()}) {
    if (s->function.empty()) {
      ask({"SCRIPT", "LOAD", s->text});
    } else {
      ask({"FUNCTION", "LOAD", "REPLACE", s->library});
    }
  }
  std::unique_ptr<redisReply, free_reply> const sha(static_cast<redisReply*>(redisCommand(
      link_.get(), "SCRIPT LOAD %s",
      "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end")));
  compare_and_delete_ = sha->str;
}

long long hiredis_link::ask(std::vector<std::string_view> const& words) {
  std::vector<char const*> texts;
  std::vector<std::size_t> sizes;
  for (auto const word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  std::unique_ptr<redisReply, free_reply> const reply(static_cast<redisReply*>(
      redisCommandArgv(link_.get(), static_cast<int>(words.size()), texts.data(), sizes.data())));
  if (!reply || reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(reply ? reply->str : link_->errstr);
  return reply->type == REDIS_REPLY_INTEGER ? reply->integer : static_cast<long long>(reply->elements);
}

void hiredis_link::pair_by_scripts(std::string const& name) {
  name_keys const keys(name);
  auto const description = "o=" + std::string(owner) + "&ttl=30000";
  ask(call(acquire_script(), keys, {owner, ttl, "0", "0", "0", "7500", "lh:c:0", description, "60000", "1"}));
  if (ask(call(withdraw_script(), keys, {owner, "0", "0"})) != 1) throw std::runtime_error("hiredis: not released");
}

void hiredis_link::pair_by_commands(std::string const& name) {
  ask({"SET", name, owner, "NX", "PX", ttl});
  if (ask({"EVALSHA", compare_and_delete_, "1", name, owner}) != 1) throw std::runtime_error("hiredis: not released");
}

}  // namespace bench
