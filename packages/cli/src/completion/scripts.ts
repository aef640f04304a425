/** What a shell has to know: how to ask `fest` what may come next. No command or flag is named here, so nothing can be out of date. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# Completion of fest for bash. In ~/.bashrc: source <(fest completion bash)
_fest() {
  local line directive=none tab=$'\\t'
  local -a values=() shown=()
  while IFS= read -r line; do
    case $line in
      :*) directive=\${line#:} ;;
      *)
        values+=("\${line%%"$tab"*}")
        case $line in
          *"$tab"?*) shown+=("\${line%%"$tab"*}  (\${line#*"$tab"})") ;;
          *) shown+=("\${line%%"$tab"*}") ;;
        esac
        ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=()
  if [ "\${#values[@]}" -gt 0 ]; then
    COMPREPLY=("\${values[@]}")
    # 63: bash only lists what there is, and inserts nothing.
    if [ "\${COMP_TYPE-}" = 63 ] && [ "\${#values[@]}" -gt 1 ]; then COMPREPLY=("\${shown[@]}"); fi
  elif [ "$directive" = files ]; then
    compopt -o default 2>/dev/null || true
  fi
}
complete -F _fest fest
`;

const ZSH = `#compdef fest
# Completion of fest for zsh. In ~/.zshrc, behind compinit: source <(fest completion zsh)
_fest() {
  local line directive=none tab=$'\\t'
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :*) directive=\${line#:} ;;
      *) candidates+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}") ;;
    esac
  done
  if (( \${#candidates} > 0 )); then
    _describe 'fest' candidates
  elif [[ $directive == files ]]; then
    _files
  fi
}
if [ "\${funcstack[1]-}" = _fest ]; then _fest "$@"; else compdef _fest fest; fi
`;

const FISH = `# Completion of fest for fish: fest completion fish > ~/.config/fish/completions/fest.fish
function __fest_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    for line in $lines
        switch $line
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':*'
            case '*'
                printf '%s\\n' $line
        end
    end
end
complete -c fest -f -a '(__fest_complete)'
`;

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
