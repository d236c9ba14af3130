/**
 * The little of a POSIX shell that tells which programs a `bash -c` script starts. Nothing is run: every branch counts
 * as taken, both sides of `&&`, `||` and `|` are listed, and a command substitution stays as written.
 */

export interface Script {
  /** Words of each simple command in order; quotes, redirections, assignments and reserved words are gone. */
  readonly commands: readonly (readonly string[])[]
  /** What the shell would complain about. */
  readonly error?: string
}

const reserved = new Set(['if', 'then', 'elif', 'else', 'fi', 'while', 'until', 'do', 'done', '{', '}', '!', 'time'])
const assignment = /^([A-Za-z_]\w*)=(.*)$/s
const variable = /^\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/

/** Splits a script as the shell would, with `env` for its variables. Never throws. */
export function parseScript(script: string, env: Readonly<Record<string, string>>): Script {
  const variables = new Map(Object.entries(env))
  const commands: string[][] = []
  let words: string[] = []
  let word: string | undefined
  let skipWord = false
  let at = 0

  const endWord = () => {
    if (word !== undefined && !skipWord) words.push(word)
    if (word !== undefined) skipWord = false
    word = undefined
  }
  const endCommand = () => {
    endWord()
    skipWord = false
    const command = simpleCommand(words, variables)
    if (command.length > 0) commands.push(command)
    words = []
  }
  /** Text of the expansion that starts at `at`, which moves past it; undefined when `$` stands for itself. */
  const expand = (): string | undefined => {
    if (script.startsWith('$(', at)) {
      const start = at
      let depth = 0
      do {
        if (script[at] === '(') depth++
        else if (script[at] === ')') depth--
        at++
      } while (at < script.length && (depth > 0 || script[at - 1] === '$'))
      return script.slice(start, at)
    }
    const match = variable.exec(script.slice(at, at + 4096))
    if (match === null) return undefined
    at += match[0].length
    const value = variables.get(match[1] ?? match[2] ?? '')
    return value === undefined || value === '' ? (match[3] ?? '') : value
  }

  while (at < script.length) {
    const char = script[at] ?? ''
    if (char === '\\') {
      if (script[at + 1] !== '\n') word = (word ?? '') + (script[at + 1] ?? '')
      at += 2
    } else if (char === "'") {
      const end = script.indexOf("'", at + 1)
      if (end < 0) return { commands, error: "unexpected EOF while looking for matching `''" }
      word = (word ?? '') + script.slice(at + 1, end)
      at = end + 1
    } else if (char === '"') {
      word ??= ''
      at++
      while (at < script.length && script[at] !== '"') {
        if (script[at] === '\\' && '"$`\\\n'.includes(script[at + 1] ?? ' ')) {
          if (script[at + 1] !== '\n') word += script[at + 1] ?? ''
          at += 2
          continue
        }
        const expanded: string | undefined = script[at] === '$' ? expand() : undefined
        if (expanded === undefined) word += script[at++] ?? ''
        else word += expanded
      }
      if (at >= script.length) return { commands, error: 'unexpected EOF while looking for matching `"\'' }
      at++
    } else if (char === '$') {
      const expanded = expand()
      if (expanded === undefined) {
        word = `${word ?? ''}$`
        at++
        continue
      }
      const parts = expanded.startsWith('$(') ? [expanded] : expanded.split(/\s+/)
      for (const [i, part] of parts.entries()) {
        if (i > 0) endWord()
        if (part !== '') word = (word ?? '') + part
      }
    } else if (char === '#' && word === undefined) {
      const end = script.indexOf('\n', at)
      at = end < 0 ? script.length : end
    } else if (char === '>' || char === '<') {
      if (word !== undefined && /^\d+$/.test(word)) word = undefined
      endWord()
      while ('<>&'.includes(script[at] ?? ' ')) at++
      skipWord = true
    } else if ('\n;&|()'.includes(char)) {
      endCommand()
      at++
    } else if (/\s/.test(char)) {
      endWord()
      at++
    } else {
      word = (word ?? '') + char
      at++
    }
  }
  endCommand()
  return { commands }
}

/** Drops reserved words and leading assignments; a `for` gives its variable the first value. */
function simpleCommand(words: readonly string[], variables: Map<string, string>): string[] {
  let from = 0
  while (from < words.length && reserved.has(words[from] ?? '')) from++
  if (words[from] === 'for' && words[from + 2] === 'in') {
    variables.set(words[from + 1] ?? '', words[from + 3] ?? '')
    return []
  }
  if (words[from] === 'export') from++
  for (let match; (match = assignment.exec(words[from] ?? '')) !== null; from++) {
    variables.set(match[1] ?? '', match[2] ?? '')
  }
  return words.slice(from)
}
