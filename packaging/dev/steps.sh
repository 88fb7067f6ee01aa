# shellcheck shell=sh
# Decides how long work looks: one line per step with its elapsed time, everything else in build/log/.

say() { printf '%s\n' "dev: $*"; }

took() { # SECONDS as 7s or 2m05s
  if [ "$1" -lt 60 ]; then printf '%ds' "$1"; else printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); fi
}

# What a running step has reached, e.g. [17/120].
reached() {
  tail -n 3 "$1" 2>/dev/null | tr '\r' '\n' | grep -o '^\[ *[0-9]*/[0-9]*\]\|^ *[0-9]*/[0-9]* Test' | tail -n 1 | tr -d '[]' | sed 's/ *Test//; s/^ *//'
}

# step TITLE LOG COMMAND...: runs the command with its output in build/log/LOG.log. On a terminal one line is rewritten,
# elsewhere a line is added every 30 seconds. A failure shows the end of the log and returns the command's code.
step() {
  step_title=$1 step_log=build/log/$2.log
  shift 2
  mkdir -p build/log
  # A shell's background commands inherit ignored INT and QUIT; builds must end by ^C and tests send these signals.
  case $(command -v "$1") in /*) set -- env --default-signal "$@" ;; esac
  step_start=$(date +%s) step_said=0
  "$@" >"$step_log" 2>&1 </dev/null &
  step_pid=$!
  trap 'kill "$step_pid" 2>/dev/null; wait "$step_pid" 2>/dev/null; exit 130' INT TERM HUP
  [ ! -t 1 ] || printf '  ..  %s' "$step_title"
  while kill -0 "$step_pid" 2>/dev/null; do
    sleep 0.2
    step_secs=$(($(date +%s) - step_start))
    if [ -t 1 ]; then
      printf '\r\033[K  ..  %-22s %7s  %s' "$step_title" "$(took "$step_secs")" "$(reached "$step_log")"
    elif [ "$step_secs" -ge $((step_said + 30)) ]; then
      step_said=$step_secs
      printf '  ..  %-22s %7s  %s\n' "$step_title" "$(took "$step_secs")" "$(reached "$step_log")"
    fi
  done
  step_code=0
  wait "$step_pid" || step_code=$?
  trap - INT TERM HUP
  step_secs=$(($(date +%s) - step_start))
  [ ! -t 1 ] || printf '\r\033[K'
  if [ "$step_code" -eq 0 ]; then
    printf '  ok  %-22s %7s  %s\n' "$step_title" "$(took "$step_secs")" "$step_log"
  else
    printf 'FAIL  %-22s %7s  %s\n' "$step_title" "$(took "$step_secs")" "$step_log"
    sed '/^\[[0-9]*\/[0-9]*\] /d' "$step_log" | tail -n "${LEASEHOLD_TAIL:-60}" | sed 's/^/      | /'
  fi
  return "$step_code"
}
