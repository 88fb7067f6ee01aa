#!/bin/sh
# Decides how long one fuzz target runs: SOAK_MINUTES (default 1). New inputs stay outside the tree; a finding is printed and kept.
# usage: soak.sh PROGRAM CORPUS
set -eu
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
cp "$2"/* "$found"
status=0
"$1" "$found" -max_total_time=$((${SOAK_MINUTES:-1} * 60)) -timeout=25 -max_len=9000 -print_final_stats=1 \
  -artifact_prefix="$(basename "$1")-" || status=$?
exit "$status"
