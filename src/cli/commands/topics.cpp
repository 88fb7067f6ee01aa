// Decides what the help topics say. The same facts are in leasehold-exit-codes(7) and leasehold.toml(5).
#include "commands/topics.hpp"

namespace leasehold::cli {

namespace {

constexpr std::string_view exit_codes =
    R"(Exit codes of leasehold run and leasehold once

  the job's  it ran to its end under a good lease
  64         usage: the command line is wrong
  69         the store cannot be reached; the job was not started
  70         a defect of leasehold: please report it
  71         the operating system refused something
  75         busy: not acquired in time (-E CODE)
  77         not permitted
  78         the configuration is wrong (file:line is shown)
  79         the lease was lost; the job was stopped (--lost-exit-code CODE),
             or, of once, its end could not be recorded
  124        --max-runtime was reached
  125        supervision broke after the start; the job's result is unknown
  126        the command cannot be executed
  127        the command was not found
  128+N      the job died by signal N, or we did while waiting

The other commands: 0 done, 1 answered "no" (show of a free name, break with a
token that has moved, doctor with a failure), and the same 64 to 79.

A job may itself return 75 or 79. --status-file says beyond doubt how it went.)";

constexpr std::string_view stores =
    R"(Stores: what -S, LEASEHOLD_STORE and default_store take

A URL, or the name of a [store.NAME] of the configuration.

  local:                this user's store on this machine (the default):
                        $XDG_STATE_HOME/leasehold/store, else
                        ~/.local/state/leasehold/store; when that is on a
                        network file system, /var/tmp/leasehold-UID/store
  local:system          /var/lib/leasehold/store, for root and users together
  local:/PATH           a store of your own
    ?capacity=N         names held at once, when the file is made (65536)
    ?futex_waitv=0      poll for the death of holders, as on an old kernel
  redis://[USER:PASSWORD@]HOST[:PORT][/DB]
                        one Redis or Valkey server, the same keys as other
                        languages' clients; rediss:// over TLS
  redis+unix:///PATH    the same, by its Unix socket (?db=N)
    ?max_ttl=1m         longest TTL, and how long nothing is granted after the
                        server may have forgotten
    ?safety=best        grant even then
    ?ca=FILE ?cert=FILE ?key=FILE ?server_name=NAME ?insecure=1
                        rediss:// only: whom to trust, who we are
  redlock://HOST,HOST,HOST
                        three to nine such servers, of which a majority decides
  redlock:?node=URL&node=URL&node=URL
                        the same, each by its own URL, percent-encoded
    ?max_ttl=1m         as above
    ?list=NAME          for clients that reach the nodes by different addresses
  amqp://[USER:PASSWORD@]HOST[,HOST][/VHOST]
                        one message in a quorum queue of RabbitMQ; amqps:// over
                        TLS
    ?heartbeat=10s      a lease is good for at most twice as long
    ?consumer_timeout=30m
                        what rabbitmq.conf says
    ?prefix=lh          of the names of queues
    ?ca=FILE ?cert=FILE ?key=FILE ?insecure=1
                        amqps:// only: whom to trust, who we are
  cosmos://ACCOUNT/DATABASE/CONTAINER
                        Azure Cosmos DB; the key from ?key_file=FILE or
                        LEASEHOLD_COSMOS_KEY
    ?max_ttl=1m         as above, after the write region has changed
    ?dialect=article    an item that is created and deleted
    ?ca=FILE ?insecure=1 ?plain=1
                        whom to trust; for emulators
  mem:                  inside one process; for tests

Query keys of every store, as in local:/PATH?require=exact,fifo
    ?require=WORDS      refuse a store that does not promise exact, timed, fence,
                        fifo (separated by commas)
    ?lazy=1             do not connect before the first use

local: needs no server and no TTL: the kernel frees a dead holder's locks.
New Redis servers are told by leasehold init that they never granted anything.
leasehold doctor says what a store promises and whether it is healthy.)";

constexpr std::string_view config =
    R"(Settings, in the order in which they win

  1. flags
  2. LEASEHOLD_* variables (leasehold help environment)
  3. ./leasehold.toml, only with --project or LEASEHOLD_PROJECT=1
  4. $XDG_CONFIG_HOME/leasehold/config.toml, else ~/.config/leasehold/config.toml
  5. /etc/leasehold/config.toml

--config FILE reads that file instead of 3 to 5; --config none reads no file.

  default_store = "main"
  [store.main]
  url = "local:/var/lib/app/locks"
  [lock."billing/*"]
  ttl = "30s"
  slots = 3

An unknown key is an error. leasehold config show --origin says what is in
effect and why. All keys: leasehold.toml(5).)";

constexpr std::string_view environment =
    R"(Variables read

  LEASEHOLD_STORE LEASEHOLD_NAMESPACE LEASEHOLD_OUTPUT LEASEHOLD_COLOR
  LEASEHOLD_OP_TIMEOUT LEASEHOLD_NO_INPUT    as the flags of the same name
  LEASEHOLD_CONFIG      FILE or none, as --config
  LEASEHOLD_PROJECT     1: as --project
  LEASEHOLD_TICKET      for renew and release
  NO_COLOR FORCE_COLOR TERM XDG_CONFIG_HOME XDG_STATE_HOME HOME
  NOTIFY_SOCKET         systemd: READY, STATUS and STOPPING are told

Variables given to a job of leasehold run

  LEASEHOLD_NAME        the lock; several names: one a line, sorted
  LEASEHOLD_TOKEN       the fencing token, in the same order
  LEASEHOLD_STORE       the store's name, or its URL without secrets
  LEASEHOLD_HOLDER      who holds it, as others see it
  LEASEHOLD_TTL_MS      what the store grants at a time; 0: no TTL
  LEASEHOLD_SOCKET      for leasehold check)";

constexpr std::string_view errors =
    R"(Codes of errors (in brackets after a message; "code" with --json)

  LH-USAGE LH-BAD-NAME LH-BAD-OPTION LH-UNSUPPORTED                 64
  LH-STORE-UNREACHABLE LH-OUTCOME-UNKNOWN                           69
  LH-INTERNAL                                                       70
  LH-OS-REFUSED                                                     71
  LH-BUSY LH-PROBATION                                              75
  LH-NOT-PERMITTED                                                  77
  LH-CONFIG LH-STORE-MISCONFIGURED LH-MODE-MISMATCH                 78
  LH-LEASE-LOST LH-LEASE-EXPIRED LH-NOT-OWNER                       79
  LH-TOKEN-MOVED                                                     1
  LH-MAX-RUNTIME                                                   124
  LH-SUPERVISION-BROKEN                                            125
  LH-CANNOT-EXECUTE                                                126
  LH-NOT-FOUND                                                     127

With --json an error is one object on stderr: code, message, hint, exit_code.)";

constexpr help_topic topics[] = {
    {"exit-codes", "what the exit codes mean", exit_codes},
    {"stores", "where locks can live", stores},
    {"config", "settings, and which one wins", config},
    {"environment", "variables read, and given to a job", environment},
    {"errors", "the LH- codes", errors},
};

}  // namespace

std::span<help_topic const> help_topics() noexcept { return topics; }

}  // namespace leasehold::cli
