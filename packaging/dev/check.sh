# shellcheck shell=sh
# Decides what must hold of the sources before a change is handed in; every failing part is shown, not only the first.

sources() { # PATTERN...: tracked and new files, ignored ones left out
  git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
}

check_format() {
  sources '*.cpp' '*.hpp' | xargs -P "$(nproc)" -I FILE sh -c \
    'clang-format-14 --dry-run -Werror FILE 2>/dev/null || { echo "FILE: not formatted (./dev fmt does it)"; exit 1; }'
}

check_scripts() { sources dev .ci/run '*.sh' | xargs shellcheck -x; }

check_man() {
  [ -d packaging/man ] || return 0
  sources 'packaging/man/*' | xargs mandoc -T lint -W warning
}

check_headers() { # each public header compiles alone, as the oldest and the newest standard
  for compiler in g++ clang++; do
    for standard in c++20 c++2b; do
      python3 test/tidy/headers.py "$compiler" "$standard" || return 1
    done
  done
}

check_clang_tidy() {
  sources 'src/*.cpp' 'demo/*.cpp' 'examples/*.cpp' | xargs -P "$(nproc)" -n 2 clang-tidy -p build/clang --quiet --warnings-as-errors='*'
}

check() {
  failed=''
  if command -v clang-format-14 >/dev/null; then
    step "format" check-format check_format || failed="$failed format"
  else
    say "skipped: format (no clang-format-14 here; other versions format differently)"
  fi
  step "shell scripts" check-scripts check_scripts || failed="$failed scripts"
  step "man pages" check-man check_man || failed="$failed man"
  step "layers, sizes, bans" check-tidy python3 -m unittest discover -s test/tidy -p '*_test.py' || failed="$failed tidy"
  step "case ids" check-cases python3 test/tidy/cases.py --strict || failed="$failed cases"
  step "headers alone" check-headers check_headers || failed="$failed headers"
  configure clang -DLEASEHOLD_BUILD_TESTS=ON && compile clang || failed="$failed clang"
  step "clang-tidy" check-clang-tidy check_clang_tidy || failed="$failed clang-tidy"
  [ -z "$failed" ] || { say "check failed:$failed"; return 1; }
  say "check passed"
}
