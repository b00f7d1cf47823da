#!/usr/bin/env python3
"""A server that speaks OpenAI's chat completions and misbehaves on request; for tests, on the loopback interface.

    judge_server.py FOLDER [--faults SHARE] [--texts] [--certificate FILE]

While FOLDER/refuse is there, every request is refused as the file says: "key", "model", "echo" (an error that repeats the key)
or "long" (the prompt does not fit the context); "key 20" refuses from the 20th request on. With --texts it writes texts instead of
verdicts, some of which are none: cut off, blank, refused, its request again, with a stock closing. With a certificate the server
speaks TLS. Writes its port to FOLDER/port. Every request is a line of FOLDER/requests.jsonl: hash of its body, whether it was
billed (answered) and the tokens of its bill. Which requests fail follows from their place in the order of arrival. Answers follow from the body.
"""
import argparse
import hashlib
import http.server
import json
import pathlib
import random
import ssl
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--faults", type=float, default=0.0)
parser.add_argument("--texts", action="store_true")
parser.add_argument("--certificate", type=pathlib.Path)
options = parser.parse_args()
lock = threading.Lock()
log = open(options.folder / "requests.jsonl", "a", buffering=1)
faults = random.Random(7)
arrived = 0
REFUSALS = {"key": (401, "invalid_api_key"), "model": (404, "model_not_found"), "echo": (403, "no access"),
            "long": (400, "context_length_exceeded")}


def written(digest, body):
    """A text that follows from the body, and how it ended."""
    asked = json.loads(body)["messages"]
    kind = int(digest[:8], 16) % 20
    if kind == 0:
        return "The end is m", "length"
    if kind == 1:
        return " ", "stop"
    if kind == 2:
        return "I cannot", "content_filter"
    if kind == 3:
        return asked[-1]["content"], "stop"
    if kind == 4:
        return f"Text {digest[:6]}. I hope this helps!", "stop"
    if kind < 8 and len(asked) > 1:
        return asked[1]["content"] or "Nothing.", "stop"  # the draft: nothing to change
    return f"Text {digest[:6]}.", "stop"


def refusal(place):
    try:
        kind, *first = (options.folder / "refuse").read_text().split()
    except FileNotFoundError:
        return ""
    return kind if not first or place >= int(first[0]) else ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status, text, headers=()):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = hashlib.sha256(body).hexdigest()
        global arrived
        with lock:
            arrived += 1
            drawn = faults.choice(["500", "429", "529", "cut", "not json"]) if faults.random() < options.faults else ""
            fault = refusal(arrived) or drawn
            billed = fault == ""
            log.write(json.dumps({"hash": digest, "billed": billed, "fault": fault, "tokens": [len(body) // 4, 3],
                                  "key": self.headers.get("Authorization", "")}) + "\n")
        if fault in REFUSALS:
            status, code = REFUSALS[fault]
            words = code if fault != "echo" else f"{code} with {self.headers.get('Authorization', '')}"
            return self.reply(status, json.dumps({"error": {"message": words, "code": code}}))
        if fault in ("500", "529"):
            return self.reply(int(fault), '{"error": {"message": "overloaded"}}')
        if fault == "429":
            return self.reply(429, '{"error": {"message": "slow down"}}', [("Retry-After-Ms", "20")])
        if fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [')
            self.close_connection = True
            return None
        if fault == "not json":
            return self.reply(200, "<html>maintenance</html>")
        time.sleep(0.002)
        # Where a score is asked for one in eight is no number of the scale.
        verdict = f"Score: {int(digest[:8], 16) % 8 + 4}" if b"end with the score" in body else "Verdict: " + ("A" if int(digest, 16) % 2 else "B")
        text, finish = written(digest, body) if options.texts else (verdict, "stop")
        message = {"role": "assistant", "content": text}
        return self.reply(200, json.dumps({
            "id": "x", "object": "chat.completion", "model": "test",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": len(body) // 4, "completion_tokens": 3, "total_tokens": len(body) // 4 + 3}}))

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


server = Server(("127.0.0.1", 0), Handler)
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
(options.folder / "port.tmp").write_text(str(server.server_address[1]))
(options.folder / "port.tmp").rename(options.folder / "port")
server.serve_forever()
