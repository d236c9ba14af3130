/** Whether `*` in the pattern, each standing for any characters or none, can be filled in to give the text. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === text
  if (!text.startsWith(first)) return false
  let at = first.length
  // The earliest place for each part leaves the most room for those that follow.
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length >= at + last.length && text.endsWith(last)
}

/** As a shell reads it: `*` stands for any characters, `?` for one, and neither for a `/`. Takes no time beyond |pattern| × |text|. */
export function matchesGlob(pattern: string, text: string): boolean {
  const [patterns, parts] = [pattern.split('/'), text.split('/')]
  return patterns.length === parts.length && patterns.every((each, i) => matchesPart(each, parts[i] ?? ''))
}

/** What stands before the last star that was met fits for good: only that star may have to stand for more. */
function matchesPart(pattern: string, text: string): boolean {
  let star = -1
  let starAt = 0
  let p = 0
  for (let t = 0; t < text.length; ) {
    if (pattern[p] === '*') {
      star = p++
      starAt = t
    } else if (pattern[p] === '?' || pattern[p] === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++starAt
    } else return false
  }
  return /^\**$/.test(pattern.slice(p))
}
