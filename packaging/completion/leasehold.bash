# bash completion of leasehold; source it, or install it as bash-completion/completions/leasehold
_leasehold() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' words='' i
  local flags=' -S --store --namespace -o --output --json --no-headers -q --quiet -v --verbose --color --no-color --no-input --config --project --op-timeout -h --help --version'
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      COMPREPLY=($(compgen -o default -- "$cur")); return
    fi
    case ${COMP_WORDS[i]} in -*) ;; *) [[ -n $command ]] || command=${COMP_WORDS[i]} ;; esac
  done
  case $command in
    run) flags=" --name -n --nonblock -w --wait -s --shared --slots --ttl -E --busy-exit-code -c --command --hold-at-least --max-runtime --kill-after --on-lost --lost-exit-code --wait-tree --identity --label --reason --status-file --status-fd --dry-run $flags" ;;
    once) flags=" --key --window -n --nonblock -w --wait --ttl -E --busy-exit-code -c --command --max-runtime --kill-after --identity --label --reason $flags" ;;
    elect) flags=" --on-elected --on-lost --one-term --ttl --minimum-term --kill-after --lost-exit-code --wait-tree --identity --label --reason --status-file --status-fd --observe --interval $flags" ;;
    check) flags=" $flags" ;;
    ls) flags=" --state --holder --sort $flags" ;;
    show) flags=" $flags" ;;
    watch) flags=" --until -w --wait --interval $flags" ;;
    break) flags=" --token --reason --yes --now $flags" ;;
    acquire) flags=" -n --nonblock -w --wait -s --shared --slots --ttl --identity --label --reason $flags" ;;
    renew) flags=" --ticket $flags" ;;
    release) flags=" --ticket $flags" ;;
    init) flags=" $flags" ;;
    doctor) flags=" --strict $flags" ;;
    bench) flags=" --clients --duration --keys --ttl $flags" ;;
    config) flags=" --origin $flags" ;;
    completion) flags=" $flags" ;;
    help) flags=" $flags" ;;
    version) flags=" $flags" ;;
  esac
  case "$command $prev" in
    *\ --output|*\ -o) words='table wide plain name json ndjson' ;;
    *\ --color) words='auto always never' ;;
    run\ --on-lost) words='term kill ignore' ;;
    ls\ --state) words='held waiting overdue' ;;
    ls\ --sort) words='name held' ;;
    watch\ --until) words='free held' ;;
    *\ --config|*\ --status-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W 'run once elect check ls show watch break acquire renew release init doctor bench config completion help version' -- "$cur"))
  elif [[ $command == completion ]]; then
    COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"))
  elif [[ $command == config ]]; then
    COMPREPLY=($(compgen -W 'show' -- "$cur"))
  fi
}
complete -F _leasehold leasehold
