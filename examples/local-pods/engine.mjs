// The smallest engine: answers OpenAI chat completions, whole or streamed, at the address that it is given.
import { createServer } from 'node:http'

const [host, port] = process.argv.slice(2)

createServer(async (request, response) => {
  if (request.method === 'GET') return response.end('ok') // the readiness probe
  const { model, messages, stream } = JSON.parse((await request.setEncoding('utf8').toArray()).join(''))
  const content = `You said: ${messages.at(-1).content}`
  if (!stream) {
    const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }
    response.setHeader('content-type', 'application/json')
    return response.end(JSON.stringify({ object: 'chat.completion', model, choices: [choice] }))
  }
  response.setHeader('content-type', 'text/event-stream')
  for (const word of content.split(/(?<= )/)) {
    const choice = { index: 0, delta: { content: word }, finish_reason: null }
    response.write(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model, choices: [choice] })}\n\n`)
  }
  return response.end('data: [DONE]\n\n')
}).listen(Number(port), host, () => console.log(`echo engine on ${host}:${port}`))
