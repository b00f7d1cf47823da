#!/usr/bin/env python3
"""What vendors' servers say where they give no verdict, and what is to become of it.

    server_words.py write FOLDER          replies-KIND.json and pairs-KIND.jsonl of both protocols
    server_words.py table FOLDER KIND     holds FOLDER/first.jsonl and requests.jsonl ("run" lines between the starts) against
                                          what is right, and prints the table
A row: who, its words, HTTP status, body, what the pair is to be, whether it is charged, whether the next start asks again.
"""
import json
import pathlib
import sys


def error(message, **more):
    return {"error": {"message": message, **more}}


def said(text, finish="stop", **message):
    return {"choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}],
            "usage": {"prompt_tokens": 200, "completion_tokens": 30}}


def message(content, stop="end_turn"):
    return {"type": "message", "content": content, "stop_reason": stop, "usage": {"input_tokens": 200, "output_tokens": 30}}


LOST, KEPT = (False, True), (True, False)  # charged, asked again
OPENAI = [
    # Too long.
    ("OpenAI", "maximum context length", 400, error("This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", code="context_length_exceeded"), "truncated", LOST),
    ("OpenAI", "input tokens exceed", 400, error("Input tokens exceed the configured limit of 272000 tokens."), "truncated", LOST),
    ("OpenAI", "request too large (429)", 429, error("Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 35000."), "truncated", LOST),
    ("Azure", "maximum context length", 400, error("This model's maximum context length is 8192 tokens", param="messages", code="context_length_exceeded"), "truncated", LOST),
    ("vLLM 0", "maximum context length", 400, {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens", "type": "BadRequestError", "code": 400}, "truncated", LOST),
    ("vLLM 1", "maximum model length", 400, error("The decoder prompt (length 25938) is longer than the maximum model length of 4096.", type="BadRequestError", code=400), "truncated", LOST),
    ("SGLang", "longer than the model's context", 400, {"object": "error", "message": "The input (61709 tokens) is longer than the model's context length (40960 tokens).", "code": 400}, "truncated", LOST),
    ("SGLang", "requested token count", 400, {"object": "error", "message": "Requested token count exceeds the model's maximum context length of 4096 tokens."}, "truncated", LOST),
    ("TGI", "inputs + max_new_tokens", 422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", "error_type": "validation"}, "truncated", LOST),
    ("llama.cpp", "exceed_context_size_error", 400, error("the request exceeds the available context size", code=400, type="exceed_context_size_error"), "truncated", LOST),
    ("llama-cpp-python", "context window (500)", 500, error("Requested tokens (900) exceed context window of 512"), "truncated", LOST),
    ("Gemini", "input token count", 400, [error("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", code=400, status="INVALID_ARGUMENT")], "truncated", LOST),
    ("OpenRouter", "endpoint's context", 400, error("This endpoint's maximum context length is 16384 tokens. However, you requested about 94307", code=400), "truncated", LOST),
    ("OpenRouter", "another's words inside", 400, error("Provider returned error", code=400, metadata={"raw": json.dumps(error("prompt is too long: 9 > 8 maximum"))}), "truncated", LOST),
    ("OpenRouter", "the same inside a 200", 200, {"choices": None, **error("This endpoint's maximum context length is 16384 tokens.", code=400)}, "truncated", LOST),
    ("Mistral", "too large for model", 400, {"object": "error", "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"}, "truncated", LOST),
    ("Together", "inputs + max_new_tokens", 422, error("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048."), "truncated", LOST),
    ("DeepSeek", "maximum context length", 400, error("This model's maximum context length is 131072 tokens. However, you requested 131134", code="invalid_request_error"), "truncated", LOST),
    ("Bedrock", "input is too long", 400, {"message": "Input is too long for requested model."}, "truncated", LOST),
    ("Ollama", "input length exceeds", 400, error("the input length exceeds the context length"), "truncated", LOST),
    ("xAI", "maximum prompt length", 400, {"code": "invalid-argument", "error": "This model's maximum prompt length is 131072 but the request contains 637815 tokens."}, "truncated", LOST),
    ("a proxy", "413", 413, "<html><h1>413 Request Entity Too Large</h1></html>", "truncated", LOST),
    ("all", "finish_reason length", 200, said("Let me", "length"), "truncated", KEPT),
    ("Mistral", "finish_reason model_length", 200, said("Let me", "model_length"), "truncated", KEPT),
    ("a reasoner", "a thought that is cut", 200, said("<think>\nVerdict: B\nbut"), "truncated", KEPT),
    # Flagged.
    ("OpenAI", "flagged", 400, error("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", code="invalid_prompt"), "filtered", LOST),
    ("Azure", "content management policy", 400, error("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", code="content_filter"), "filtered", LOST),
    ("OpenRouter", "requires moderation", 403, error("openai/gpt-4o requires moderation on OpenRouter. Your input was flagged for \"violence\".", code=403, metadata={"reasons": ["violence"], "flagged_input": "..."}), "filtered", LOST),
    ("Gemini", "PROHIBITED_CONTENT", 400, [error("The prompt was blocked: PROHIBITED_CONTENT", code=400)], "filtered", LOST),
    ("Gemini", "finish_reason SAFETY", 200, said("", "SAFETY"), "filtered", KEPT),
    ("DeepSeek", "Content Exists Risk", 400, error("Content Exists Risk", code="invalid_request_error"), "filtered", LOST),
    ("xAI", "usage guidelines", 403, {"error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}, "filtered", LOST),
    ("Bedrock", "guardrail_intervened", 200, said("", "guardrail_intervened"), "filtered", KEPT),
    ("all", "finish_reason content_filter", 200, said("", "content_filter"), "filtered", KEPT),
    ("OpenAI", "a refusal", 200, said("", refusal="I cannot"), "refused", KEPT),
    # A fault of the server, once: the pair gets its verdict after all.
    ("OpenRouter", "429 inside a 200, once", 200, {"choices": None, **error("Provider returned error", code=429)}, "ok", KEPT),
    ("OpenRouter", "finish_reason error, once", 200, {"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "idle"}, "message": {"content": ""}}]}, "ok", KEPT),
    ("DeepSeek", "insufficient resource, once", 200, said("Verdict: B", "insufficient_system_resource"), "ok", KEPT),
    ("vLLM, SGLang", "abort, once", 200, said("Verdict: B", "abort"), "ok", KEPT),
    ("a proxy", "HTML, once", 200, "<html>Verdict: B</html>", "ok", KEPT),
    ("a proxy", "an empty reply, once", 200, "", "ok", KEPT),
    ("a proxy", "a cut reply, once", 200, "{\"choices\": [{\"mess", "ok", KEPT),
    ("a proxy", "503, once", 503, "<html>", "ok", KEPT),
    # The same for ever.
    ("OpenRouter", "429 inside a 200", 200, {"choices": None, **error("Provider returned error", code=429)}, "missing", LOST),
    ("a proxy", "HTML", 200, "<html>Verdict: B</html>", "missing", LOST),
    ("somebody", "words that nobody knows", 400, error("the planets do not stand well"), "missing", LOST),
    # Thoughts.
    ("a reasoner", "a thought, then the verdict", 200, said("<think>Verdict: B</think>\nVerdict: A"), "ok", KEPT),
    ("a reasoner", "no opening mark", 200, said("Verdict: B?\nNo.\n</think>\n\nVerdict: A"), "ok", KEPT),
    ("a reasoner", "a cut thought beside", 200, said(None, "length", reasoning_content="Verdict: B"), "truncated", KEPT),
    ("a reasoner", "reasoning_content beside", 200, said("Verdict: A", reasoning_content="Verdict: B"), "ok", KEPT),
    ("somebody", "a new proxy's empty error", 200, {**said("Verdict: A"), "error": {"message": "", "code": None}}, "ok", KEPT),
]
ANTHROPIC = [
    ("Anthropic", "prompt is too long", 400, {"type": "error", **error("prompt is too long: 209345 tokens > 200000 maximum", type="invalid_request_error")}, "truncated", LOST),
    ("Anthropic", "exceed context limit", 400, {"type": "error", **error("input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000", type="invalid_request_error")}, "truncated", LOST),
    ("Anthropic", "request_too_large", 413, {"type": "error", **error("Request exceeds the maximum size", type="request_too_large")}, "truncated", LOST),
    ("Anthropic", "stop_reason max_tokens", 200, message([{"type": "text", "text": "Let me"}], "max_tokens"), "truncated", KEPT),
    ("Anthropic", "context window exceeded", 200, message([], "model_context_window_exceeded"), "truncated", KEPT),
    ("Anthropic", "content filtering policy", 400, {"type": "error", **error("Output blocked by content filtering policy", type="invalid_request_error")}, "filtered", LOST),
    ("Anthropic", "stop_reason refusal", 200, message([], "refusal"), "refused", KEPT),
    ("Anthropic", "overloaded, once", 529, {"type": "error", **error("Overloaded", type="overloaded_error")}, "ok", KEPT),
    ("Anthropic", "the same in a 200, once", 200, {"type": "error", **error("Overloaded", type="overloaded_error")}, "ok", KEPT),
    ("Anthropic", "blocks of thoughts", 200, message([{"type": "thinking", "thinking": "Verdict: B"}, {"type": "redacted_thinking", "data": "B"}, {"type": "text", "text": "Verdict: A"}]), "ok", KEPT),
    ("a proxy", "HTML", 200, "<html></html>", "missing", LOST),
]
ROWS = {"openai": OPENAI, "anthropic": ANTHROPIC}


def write(folder):
    for kind, rows in ROWS.items():
        replies, pairs = {}, []
        for number, (who, words, status, body, *_) in enumerate(rows):
            replies[f"case {number}:"] = {"status": status, "body": body, **({"times": 1} if words.endswith("once") else {})}
            pairs.append({"prompt": f"case {number}: how much is 3 plus 4?", "response_a": "7", "response_b": "8"})
            if number % 4 == 0:
                pairs.append({"prompt": f"plain {number}: how much is 3 plus 4?", "response_a": "7", "response_b": "8"})
        (folder / f"replies-{kind}.json").write_text(json.dumps(replies))
        (folder / f"pairs-{kind}.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))


def table(folder, kind):
    verdicts = [json.loads(line) for line in (folder / "first.jsonl").read_text().splitlines()]
    plain = [row for row in verdicts if row["prompt"].startswith("plain")]
    assert plain and all(row["status"] == "ok" and row["p_a"] == 1 for row in plain), "pairs that no word was said to"
    by_case = {row["prompt"].split(":")[0] + ":": row for row in verdicts}
    asked = [{}]
    for line in (folder / "requests.jsonl").read_text().splitlines():
        request = json.loads(line)
        if "run" in request:
            asked.append({})
        elif request["key"]:
            asked[-1][request["key"]] = asked[-1].get(request["key"], 0) + 1
    print(f"{'who':<17} {'words':<32} {'HTTP':>4}  {'status':<10} {'charged':<8} {'requests':<9} asked again")
    wrong = []
    for number, (who, words, status, body, expected, fate) in enumerate(ROWS[kind]):
        key = f"case {number}:"
        row = by_case[key]
        got = (row["status"], (row["cost_usd"] > 0, key in asked[1]))
        print(f"{who:<17} {words:<32} {status:>4}  {row['status']:<10} {'yes' if got[1][0] else 'no':<8} {asked[0][key]:<9} {'yes' if got[1][1] else 'no'}")
        p_a = 1 if expected == "ok" else None
        if got != (expected, fate) or row["p_a"] != p_a:
            wrong.append(f"{who}, {words}: {got}, p_a {row['p_a']}; expected {expected}, {fate}, p_a {p_a}")
    assert not wrong, "\n".join(wrong)


if sys.argv[1] == "write":
    write(pathlib.Path(sys.argv[2]))
else:
    table(pathlib.Path(sys.argv[2]), sys.argv[3])
