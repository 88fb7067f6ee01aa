#include "redis_peers.hpp"

#include "engines/redis/names.hpp"
#include "engines/redis/scripts.hpp"

#include <hiredis/hiredis.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace bench {
namespace {

using namespace leasehold::redis;

constexpr std::string_view owner = "0123456789abcdef0123456789abcdef";
constexpr std::string_view ttl = "30000";

std::vector<std::string_view> call(script const& what, name_keys const& keys,
                                   std::vector<std::string_view> const& arguments) {
  bool const is_function = !what.function.empty();
  std::vector<std::string_view> words{is_function ? "FCALL" : "EVALSHA", is_function ? what.function : what.sha, "7"};
  words.insert(words.end(), {keys.lock, keys.line, keys.waiters, keys.shared, keys.metadata, guard_key, index_key});
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

redisContext* connect(std::string const& address) {
  if (address.starts_with('/')) return redisConnectUnix(address.c_str());
  auto const colon = address.rfind(':');
  return redisConnect(address.substr(0, colon).c_str(), std::stoi(address.substr(colon + 1)));
}

}  // namespace

void hiredis_link::free_reply::operator()(redisReply* r) const noexcept { freeReplyObject(r); }
void hiredis_link::hang_up::operator()(redisContext* c) const noexcept { redisFree(c); }

hiredis_link::hiredis_link(std::string const& address) : link_(connect(address)) {
  if (!link_ || link_->err != 0) throw std::runtime_error("hiredis: cannot connect");
  for (auto const* s : {&acquire_script(), &withdraw_script()}) {
    if (s->function.empty()) {
      ask({"SCRIPT", "LOAD", s->text});
    } else {
      ask({"FUNCTION", "LOAD", "REPLACE", s->library});
    }
  }
  reply_ptr const sha(static_cast<redisReply*>(redisCommand(
      link_.get(), "SCRIPT LOAD %s",
      "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end")));
  compare_and_delete_ = sha->str;
}

void hiredis_link::append(std::vector<std::string_view> const& words) {
  std::vector<char const*> texts;
  std::vector<std::size_t> sizes;
  for (auto const word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(link_.get(), static_cast<int>(words.size()), texts.data(), sizes.data());
}

hiredis_link::reply_ptr hiredis_link::receive() {
  void* got = nullptr;
  redisGetReply(link_.get(), &got);
  reply_ptr reply(static_cast<redisReply*>(got));
  if (!reply || reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(reply ? reply->str : link_->errstr);
  return reply;
}

long long hiredis_link::ask(std::vector<std::string_view> const& words) {
  append(words);
  auto const reply = receive();
  return reply->type == REDIS_REPLY_INTEGER ? reply->integer : static_cast<long long>(reply->elements);
}

bool hiredis_link::acquire_by_script(std::string const& name, std::string const& who, std::string const& channel) {
  auto const description = "o=" + who + "&ttl=30000";
  auto const place = channel.empty() ? std::string() : "5000 " + channel;
  name_keys const keys(name);
  append(call(acquire_script(), keys, {who, ttl, "0", "0", description, "60000", place}));
  auto const reply = receive();
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) throw std::runtime_error("hiredis: an unknown answer");
  return std::string_view(reply->element[0]->str) == "G";
}

void hiredis_link::withdraw_by_script(std::string const& name, std::string const& who) {
  name_keys const keys(name);
  if (ask(call(withdraw_script(), keys, {who, "0", "0"})) != 1) throw std::runtime_error("hiredis: not released");
}

void hiredis_link::pair_by_scripts(std::string const& name) {
  static std::string const who(owner);
  if (!acquire_by_script(name, who)) throw std::runtime_error("hiredis: not acquired");
  withdraw_by_script(name, who);
}

void hiredis_link::pairs_by_scripts(std::vector<std::string> const& names) {
  auto const description = "o=" + std::string(owner) + "&ttl=30000";
  std::vector<name_keys> keys;
  for (auto const& name : names) keys.emplace_back(name);
  for (auto const& each : keys) append(call(acquire_script(), each, {owner, ttl, "0", "0", description, "60000", ""}));
  for (std::size_t i = 0; i < names.size(); ++i) receive();
  for (auto const& each : keys) append(call(withdraw_script(), each, {owner, "0", "0"}));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (receive()->integer != 1) throw std::runtime_error("hiredis: not released");
  }
}

void hiredis_link::subscribe(std::string const& channel) { ask({"SUBSCRIBE", channel}); }
void hiredis_link::await_message() { receive(); }

long long hiredis_link::commands_of_clients() {
  append({"INFO", "commandstats"});
  auto const all = receive();
  std::string_view const text(all->str, all->len);
  long long sum = 0;
  for (std::string_view const sent :
       {"fcall", "evalsha", "eval", "ping", "subscribe", "unsubscribe", "script|load", "function|load"}) {
    auto const head = "cmdstat_" + std::string(sent) + ":calls=";
    if (auto const at = text.find(head); at != std::string_view::npos)
      sum += std::atoll(text.data() + at + head.size());
  }
  return sum;
}

void hiredis_link::pair_by_commands(std::string const& name) {
  ask({"SET", name, owner, "NX", "PX", ttl});
  if (ask({"EVALSHA", compare_and_delete_, "1", name, owner}) != 1) throw std::runtime_error("hiredis: not released");
}

baton published_baton(std::string const& address, int me) {
  static constexpr auto name = "raw";
  std::string const who = std::string(owner.substr(1)) + std::to_string(me);
  std::string const channel = "lh:c:" + who;
  auto const link = std::make_shared<hiredis_link>(address);
  auto const ear = std::make_shared<hiredis_link>(address);
  ear->subscribe(channel);
  return {[=] {
            while (!link->acquire_by_script(name, who, channel)) ear->await_message();
          },
          [=] { link->withdraw_by_script(name, who); }};
}

}  // namespace bench
