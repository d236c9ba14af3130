"""The smallest engine: answers OpenAI's chat completions, on the address that it is given."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Engine(BaseHTTPRequestHandler):
    def do_GET(self):  # the readiness probe
        self.answer({"status": "ok"})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = request["messages"][-1]["content"]
        message = {"role": "assistant", "content": f"You said: {said}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        self.answer({"object": "chat.completion", "model": request["model"], "choices": [choice], "usage": usage})

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


host, port = sys.argv[1], int(sys.argv[2])
print(f"echo engine on {host}:{port}", flush=True)
ThreadingHTTPServer((host, port), Engine).serve_forever()
