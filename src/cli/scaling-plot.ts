/** Replicas and load over time as a picture. Pure. */
export interface PlotPoint {
  readonly atMs: number
  /** What the load asks for, in instances. */
  readonly wanted: number
  readonly desired: number
  readonly ready: number
}

const size = { width: 960, height: 360, left: 48, right: 16, top: 40, bottom: 40 } as const
const lines = [
  { member: 'wanted', title: 'asked for by the load', color: '#9aa5b1', dash: '4 3' },
  { member: 'desired', title: 'decided', color: '#2563eb', dash: '' },
  { member: 'ready', title: 'ready', color: '#16a34a', dash: '' },
] as const

/** An SVG document that stands by itself. */
export function plotScaling(points: readonly PlotPoint[], title: string): string {
  const endMs = points.at(-1)?.atMs ?? 0
  const startMs = points[0]?.atMs ?? 0
  const most = Math.max(1, ...points.flatMap(({ wanted, desired, ready }) => [wanted, desired, ready]))
  const x = (ms: number): number =>
    size.left + ((ms - startMs) / Math.max(endMs - startMs, 1)) * (size.width - size.left - size.right)
  const y = (count: number): number =>
    size.height - size.bottom - (count / most) * (size.height - size.top - size.bottom)
  const steps = (member: (typeof lines)[number]['member']): string =>
    points
      .map(
        (point, i) =>
          `${i === 0 ? 'M' : `H${round(x(point.atMs))} V`}${i === 0 ? `${round(x(point.atMs))} ` : ''}${round(y(point[member]))}`,
      )
      .join(' ')
  const rows = ticksUpTo(most).map(
    (count) =>
      `<path d="M${size.left} ${round(y(count))} H${size.width - size.right}" stroke="#e5e7eb"/>` +
      `<text x="${size.left - 8}" y="${round(y(count)) + 4}" text-anchor="end">${count}</text>`,
  )
  const times = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const ms = startMs + part * (endMs - startMs)
    return `<text x="${round(x(ms))}" y="${size.height - 14}" text-anchor="middle">${clockTime(ms)}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12" fill="#374151">`,
    `<title>${escaped(title)}</title>`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="${size.left}" y="22" font-size="14">${escaped(title)}</text>`,
    ...rows,
    ...times,
    ...lines.map(
      ({ member, color, dash }) =>
        `<path d="${steps(member)}" fill="none" stroke="${color}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`,
    ),
    ...lines.map(
      ({ title: name, color }, i) =>
        `<text x="${size.width - size.right - 330 + i * 140}" y="22" fill="${color}">${name}</text>`,
    ),
    '</svg>',
    '',
  ].join('\n')
}

/** A few round numbers from 0 up. */
function ticksUpTo(most: number): number[] {
  const step = Math.max(1, Math.ceil(most / 6))
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step)
}

/** Hours and minutes since the beginning. */
export function clockTime(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

const round = (value: number): number => Math.round(value * 10) / 10

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
