# shellcheck shell=sh
# Decides which distribution packages each verb needs, and installs those that are missing; nothing is touched when all are there.

# PACKAGE COMMAND WHY: present if the command is found or, where it is "-", if the package is installed.
packages() {
  case $1 in build | all) cat <<'TXT'
g++                  c++           the compiler
cmake                cmake         the build
ninja-build          ninja         the build
libcli11-dev         -             the demo's flags
libfmt-dev           -             the demo's output
libtomlplusplus-dev  -             the tool's configuration
nlohmann-json3-dev   -             the tool's JSON
libssl-dev           -             the demo's SHA-256
libcurl4-openssl-dev -             the headers of what cosmos: loads
librabbitmq-dev      -             the headers of amqp: (the library itself is loaded on the first use)
TXT
  esac
  case $1 in bench | all) packages build; cat <<'TXT'
libhiredis-dev       -             the peer of the benchmarks redis/*
pkg-config           pkg-config    finds it
redis-tools          redis-check-rdb  the server of the benchmarks redis/*
TXT
  esac
  case $1 in test | check | all) packages build; cat <<'TXT'
libgtest-dev         -             the tests
python3              python3       the tests of the sources and of the docs
pkg-config           pkg-config    the test of the package
git                  git           the tests of the sources look at tracked files
clang                clang++       the package is tested with a second compiler
mandoc               mandoc        the test of the man pages
ccache               ccache        a second build takes seconds
redis-tools          redis-check-rdb  the tests of redis: (holds the server's program, and starts no service)
TXT
  esac
  case $1 in example | test | check | all) packages build; cat <<'TXT'
libsqlite3-dev       -             the examples of uses, and the tests of the fence in SQLite
libpq-dev            -             the same in PostgreSQL
libxml2              -             its server needs it
redis-tools          redis-check-rdb  the tests of redis: (holds the server's program, and starts no service)
TXT
  esac
  case $1 in check | all) cat <<'TXT'
clang-format-14      clang-format-14  ./dev check and ./dev fmt: one version, because each formats differently
clang-tidy           clang-tidy    ./dev check
shellcheck           shellcheck    ./dev check
TXT
  esac
}

missing() { # lists the lines of `packages` that are not fulfilled
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
  packages "$1" | sort -u | while read -r package command why; do
    if [ "$command" != - ] && command -v "$command" >/dev/null 2>&1; then continue; fi
    printf '%s\n' "$installed" | grep -qxF "$package" || printf '%s|%s\n' "$package" "$why"
  done
}

# Boost is header-only here and for the Asio bridge's tests alone; the floor is 1.81.
boost_installed() {
  [ -d .deps/boost/usr/include/boost ] || dpkg-query -W -f='${Package} ${db:Status-Status}\n' 'libboost1.*-dev' 2>/dev/null |
    grep -qE '^libboost1\.(8[1-9]|9[0-9]|[1-9][0-9][0-9])-dev installed$'
}
boost_package() {
  apt-cache search --names-only '^libboost1\.[0-9]+-dev$' | sed -n 's/^libboost1\.\([0-9]*\)-dev .*/\1/p' | sort -n |
    while read -r minor; do [ "$minor" -lt 81 ] || { echo "libboost1.$minor-dev"; break; }; done
}
boost_rival() { # an older one that is installed: Debian's versions exclude one another, and a user's own must stay
  dpkg-query -W -f='${Package} ${db:Status-Status}\n' 'libboost1.*-dev' 2>/dev/null | grep -E '^libboost1\.[0-9]+-dev installed$'
}

root() {
  if [ "$(id -u)" = 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"; else sudo env DEBIAN_FRONTEND=noninteractive "$@"; fi
}

may_install() { # PACKAGE...: asks for a password now, not under a progress line
  if [ "$(id -u)" = 0 ]; then return 0; fi
  if command -v sudo >/dev/null 2>&1; then sudo -v; return; fi
  say "neither root nor sudo here; as root please: apt-get install --no-install-recommends $*" >&2
  return 77
}

apt_update_if_needed() {
  [ -z "$(apt-cache search --names-only '^ninja-build$' 2>/dev/null)" ] || return 0
  step "apt-get update" setup-update root apt-get -qq update
}

apt_install() {
  install="root apt-get -qq install --yes --no-install-recommends --no-remove -o Dpkg::Use-Pty=0"
  # shellcheck disable=SC2086
  $install "$@" >build/log/setup-first-try.log 2>&1 && return 0
  root apt-get -qq update || return $? # the lists may be older than the archive
  # shellcheck disable=SC2086
  $install "$@"
}

in_the_archive() { # keeps the lines whose package exists in this release; the others are said, and their checks skip by name
  while IFS='|' read -r package why; do
    if [ -n "$(apt-cache search --names-only "^$(printf '%s' "$package" | sed 's/[+.]/\\&/g')\$")" ]; then
      printf '%s|%s\n' "$package" "$why"
    elif [ -n "$package" ]; then
      say "this release has no package $package ($why)" >&2
    fi
  done
}

unpack_boost() { # PACKAGE: into .deps/boost, because installing it would remove the user's own
  rm -rf .deps/boost.new && mkdir -p .deps/boost.new
  (cd .deps/boost.new && apt-get -qq download "$1" && dpkg -x ./*.deb . && rm -f ./*.deb)
  rm -rf .deps/boost && mv .deps/boost.new .deps/boost
}

# Installing redis-server would start a service; redis-tools has the same program under another name.
link_redis() {
  if command -v redis-server >/dev/null 2>&1 || ! command -v redis-check-rdb >/dev/null 2>&1; then return 0; fi
  mkdir -p .deps/bin
  ln -sfn "$(command -v redis-check-rdb)" .deps/bin/redis-server
}

# Installing the server's package would start a service with a cluster of its own: it is unpacked into .deps/postgres. Its tests skip by
# name where that fails.
provide_postgres() {
  if [ -e .deps/bin/initdb ] || [ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ]; then return 0; fi
  command -v apt-get >/dev/null 2>&1 || return 0
  package=$(apt-cache search --names-only '^postgresql-[0-9]+$' | sed 's/ .*//' | sort -t- -k2 -n | tail -n 1)
  if [ -z "$package" ] || ! step "unpack $package" setup-postgres unpack_postgres "$package"; then say "skipped: $package"; fi
}
unpack_postgres() { # PACKAGE
  rm -rf .deps/postgres && mkdir -p .deps/postgres .deps/bin
  (cd .deps/postgres && apt-get -qq download "$1" && dpkg -x ./*.deb . && rm -f ./*.deb)
  ln -sfn "$PWD"/.deps/postgres/usr/lib/postgresql/*/bin/initdb .deps/bin/initdb
}

# Installing the broker's package starts a service where there is a service manager: there it is left to the user, and the tests of amqp:
# are skipped by name. Elsewhere (containers, most CI machines) nothing is started.
provide_rabbitmq() {
  [ ! -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || return 0
  command -v apt-get >/dev/null 2>&1 || return 0
  if [ -d /run/systemd/system ]; then
    say "skipped: rabbitmq-server, whose package would start a service; to have amqp: tested: apt-get install rabbitmq-server"
    return 0
  fi
  may_install rabbitmq-server || return $?
  step "apt-get install rabbitmq-server (amqp: is tested on it)" setup-rabbitmq install_unstarted rabbitmq-server || say "skipped: rabbitmq-server"
}
install_unstarted() { # PACKAGE: what policy-rc.d forbids is not started
  policy=/usr/sbin/policy-rc.d
  if [ -e $policy ]; then apt_install "$1"; return; fi
  printf '#!/bin/sh\nexit 101\n' | root tee $policy >/dev/null
  root chmod 755 $policy
  done_with=0
  apt_install "$1" || done_with=$?
  root rm -f $policy
  return $done_with
}

# SET: build, example, test, bench, check or all
setup() { # SET
  provide "$1" || return $?
  [ "$1" = build ] || link_redis
  case $1 in test | all) provide_postgres; provide_rabbitmq ;; esac
}

provide() { # SET
  case $1 in
    build | example | test | bench | check | all) ;;
    *) say "setup: build, example, test, bench, check or all, not '$1'" >&2; return 64 ;;
  esac
  if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    say "no apt here; please provide what these packages hold: $(packages "$1" | awk '{ print $1 }' | sort -u | tr '\n' ' ')"
    return 0
  fi
  lacking=$(missing "$1")
  boost=''
  case $1 in test | check | all) boost_installed || boost=wanted ;; esac
  [ -n "$lacking$boost" ] || return 0
  mkdir -p build/log
  # shellcheck disable=SC2046
  may_install $(printf '%s\n' "$lacking" | sed 's/|.*//')
  apt_update_if_needed
  if [ -n "$boost" ] && boost=$(boost_package) && [ -n "$boost" ]; then
    if [ -n "$(boost_rival)" ]; then
      step "unpack $boost" setup-boost unpack_boost "$boost"
    else
      lacking=$(printf '%s\n%s' "$lacking" "$boost|the tests of <leasehold/asio.hpp>" | sed '/^$/d')
    fi
  fi
  lacking=$(printf '%s\n' "$lacking" | in_the_archive)
  [ -n "$lacking" ] || return 0
  say "installing, from the distribution:"
  printf '%s\n' "$lacking" | sed 's/|/ - /; s/^/  /'
  # shellcheck disable=SC2046
  step "apt-get install" setup apt_install $(printf '%s\n' "$lacking" | sed 's/|.*//')
}
