/** One word of a POSIX shell command that means exactly `token`. */
export function quoteWord(token: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(token) ? token : `'${token.replaceAll("'", String.raw`'\''`)}'`
}
