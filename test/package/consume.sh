#!/bin/sh
# Decides whether a dependent can build against leasehold: in one way, with one compiler and one standard.
# usage: consume.sh cmake|pkg-config PREFIX COMPILER STANDARD WORK     against an installed tree
#        consume.sh fetch SOURCE_DIR PREFIX WORK                       from source, shared; installs to PREFIX
# Exit code 77: skipped, the reason is printed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
way=$1

snippet() { # N: the N-th cmake block of README.md
  python3 -B "$here/../docs/blocks.py" --print cmake "$1" "$here/../../README.md"
}
skip() { echo "skipped: $*"; exit 77; }

if [ "$way" = fetch ]; then
  source_dir=$2 prefix=$3 work=$4
  rm -rf "$work" "$prefix" && mkdir -p "$work"
  snippet 2 >"$work/snippet.cmake"
  # GTest, CLI11 and the like must not be needed: they cannot even be found.
  cmake -G Ninja -S "$here/consumer" -B "$work/build" -DSNIPPET="$work/snippet.cmake" -DCMAKE_BUILD_TYPE=Release \
    -DFETCHCONTENT_SOURCE_DIR_LEASEHOLD="$source_dir" -DBUILD_SHARED_LIBS=ON -DLEASEHOLD_INSTALL=ON ${LAUNCHER:+"-DCMAKE_CXX_COMPILER_LAUNCHER=$LAUNCHER"} \
    -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_CLI11=ON -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
  cmake --build "$work/build"
  cmake --install "$work/build" --prefix "$prefix"
  exec "$work/build/app"
fi

prefix=$2 compiler=$3 standard=$4 work=$5
command -v "$compiler" >/dev/null || skip "$compiler is not installed"
rm -rf "$work" && mkdir -p "$work"
lib=$(dirname "$(find "$prefix" -name leasehold.pc)")
case $way in
  cmake)
    snippet 1 >"$work/snippet.cmake"
    cmake -G Ninja -S "$here/consumer" -B "$work/build" -DSNIPPET="$work/snippet.cmake" -DCMAKE_PREFIX_PATH="$prefix" \
      -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_STANDARD="$standard" -DCMAKE_CXX_EXTENSIONS=OFF
    cmake --build "$work/build"
    app=$work/build/app
    ;;
  pkg-config)
    command -v pkg-config >/dev/null || skip "pkg-config is not installed"
    [ "$standard" != 23 ] || standard=2b # clang 14 knows it by this name only
    app=$work/app
    PKG_CONFIG_PATH=$lib
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046
    "$compiler" -std=c++"$standard" -Wall -Wextra -o "$app" "$here/consumer/main.cpp" $(pkg-config --cflags --libs leasehold)
    ;;
esac
LD_LIBRARY_PATH=$(dirname "$lib") "$app"
