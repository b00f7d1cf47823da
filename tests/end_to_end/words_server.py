#!/usr/bin/env python3
"""A judge's server that answers as told, on the loopback interface; for tests.

    words_server.py FOLDER

FOLDER/replies.json: {"case 7:": {"status": 400, "body": ..., "times": 1}, ...}; a request gets the reply of the key that its text
holds, `times` often (absent: always), else a verdict for A. A body that is no text is sent as JSON. Both protocols are spoken.
Writes its port to FOLDER/port; every request is a line of FOLDER/requests.jsonl: its key ("" for none) and the status.
"""
import http.server
import json
import pathlib
import sys
import threading

folder = pathlib.Path(sys.argv[1])
replies = json.loads((folder / "replies.json").read_text())
lock = threading.Lock()
log = open(folder / "requests.jsonl", "a", buffering=1)
VERDICT = {
    "/v1/chat/completions": {
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Verdict: A"}}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 3}},
    "/v1/messages": {
        "type": "message", "content": [{"type": "text", "text": "Verdict: A"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 200, "output_tokens": 3}}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with lock:
            key = next((key for key in replies if key in text), "")
            reply = replies.get(key, {"status": 200, "body": VERDICT[self.path]})
            if "times" in reply:
                reply["times"] -= 1
                if reply["times"] < 0:
                    reply = {"status": 200, "body": VERDICT[self.path]}
            log.write(json.dumps({"key": key, "status": reply["status"]}) + "\n")
        data = (reply["body"] if isinstance(reply["body"], str) else json.dumps(reply["body"])).encode()
        self.send_response(reply["status"])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


server = Server(("127.0.0.1", 0), Handler)
(folder / "port.tmp").write_text(str(server.server_address[1]))
(folder / "port.tmp").rename(folder / "port")
server.serve_forever()
