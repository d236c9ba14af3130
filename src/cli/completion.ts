import type { Command } from 'commander'
import { usage } from './exit.ts'
import type { Io } from './io.ts'
import { knownKinds } from './known-kinds.ts'

/** Scripts made from the command line itself, so that they cannot fall behind it. */
export function completion({ shell, program }: { shell: string; program: Command }, io: Io): void {
  const script = scripts[shell]
  if (script === undefined) throw usage(`no completion for ${shell}; write ${Object.keys(scripts).join(', ')}`)
  io.write(script(wordsOf(program)))
}

interface Words {
  readonly commands: readonly { readonly name: string; readonly about: string; readonly flags: readonly string[] }[]
  readonly kinds: readonly string[]
}

function wordsOf(program: Command): Words {
  return {
    commands: program.commands.map((command) => ({
      name: command.name(),
      about: command.description(),
      flags: command.options.map((option) => option.long ?? '').filter(Boolean),
    })),
    kinds: knownKinds.map((kind) => kind.plural),
  }
}

const takesKind = 'get|tree|status|describe|why|eject|delete'

const scripts: Record<string, (words: Words) => string> = {
  bash: ({ commands, kinds }) => `# source <(fairlead completion bash)
_fairlead() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W "${commands.map((each) => each.name).join(' ')}" -- "$word")); return; fi
  case "$command" in
${commands.map(({ name, flags }) => `    ${name}) local flags="${flags.join(' ')}";;`).join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word"));;
    *) case "$command" in ${takesKind}) COMPREPLY=($(compgen -W "${kinds.join(' ')}" -- "$word"));; *) COMPREPLY=($(compgen -f -- "$word"));; esac;;
  esac
}
complete -F _fairlead fairlead
`,
  zsh: (words) => `#compdef fairlead\nautoload -U +X bashcompinit && bashcompinit\n${scripts['bash']?.(words) ?? ''}`,
  fish: ({ commands, kinds }) =>
    [
      '# fairlead completion fish | source',
      ...commands.flatMap(({ name, about, flags }) => [
        `complete -c fairlead -f -n __fish_use_subcommand -a ${name} -d '${about.replaceAll("'", '')}'`,
        ...flags.map((flag) => `complete -c fairlead -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`),
      ]),
      `complete -c fairlead -n '__fish_seen_subcommand_from ${takesKind.replaceAll('|', ' ')}' -a '${kinds.join(' ')}'`,
      '',
    ].join('\n'),
}
