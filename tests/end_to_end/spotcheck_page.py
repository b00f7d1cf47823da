#!/usr/bin/env python3
"""The page of `rlaif spotcheck export` in a headless Chromium, over pairs whose texts try to break out of it.

    spotcheck_page.py RLAIF SCRATCH

SCRATCH/ai.jsonl is a preference store in the full form. Prints `PASS name`, `FAIL name: why` or `SKIP name: why`.
"""

import base64
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NASTY = [
    '</script><script>document.title = "broken"</script>',
    '<!-- <script> \'"` \\u003c/script> ]]> &lt;b&gt; &amp;',
    "line\u2028separator\u2029and\0null",
    '{{pairs}} ${1} `${2}` \\" \\',
    "<img src=x onerror=\"document.title='broken'\">",
    "right to left: \u202e\u05d0\u05d1\u05d2 \u00e9\U0001f600\n\n  two lines",
]
# Runs beside the page: presses keys as a person would, and shows what the page saved as an element of the page.
DRIVER = """
<script>
(() => {
  const result = {seen: [], places: [], counts: [], saved: [], names: []};
  const text = (id) => document.getElementById(id).textContent;
  const look = () => {
    result.seen.push([text("prompt"), text("text-a"), text("text-b")]);
    result.places.push(text("place"));
    result.counts.push(text("count"));
  };
  const Real = window.Blob;
  window.Blob = class extends Real {
    constructor(parts, options) { super(parts, options); result.saved.push(parts.join("")); }
  };
  HTMLAnchorElement.prototype.click = function () { result.names.push(this.download); };
  look();
  for (const key of KEYS) {
    if (key.startsWith("#")) document.getElementById(key.slice(1)).click();
    else document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    look();
  }
  result.pressed = [..."abt"].filter((c) => document.getElementById("choose-" + c).getAttribute("aria-pressed") === "true");
  result.title = document.title;
  result.elements = document.querySelectorAll("img, iframe, script").length;
  const bytes = new TextEncoder().encode(JSON.stringify(result));
  const output = document.createElement("output");
  output.id = "result";
  output.textContent = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  document.body.append(output);
})();
</script>
"""


def nasty_run(rlaif, scratch):
    """A run directory with a store of six pairs; returns the records by id as text."""
    records = [json.loads(line) for line in open(scratch / "ai.jsonl", encoding="utf-8")][:len(NASTY)]
    for index, record in enumerate(records):
        record["prompt"] = NASTY[index]
        record["first"] = NASTY[(index + 1) % len(NASTY)] + " 1"
        record["second"] = NASTY[(index + 2) % len(NASTY)] + " 2"
        record["prompt_id"] = record["id"]
    run = scratch / "nasty"
    (run / "preferences").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    source = scratch / "nasty.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    subprocess.run([rlaif, "preferences", "import", source, run / "preferences/ai"], check=True, capture_output=True)
    return run, {str(record["id"]): record for record in records}


class Browser:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def drive(self, page, keys):
        """What the driver saw; the browser's profile stays the same from call to call."""
        driven = self.folder / "driven.html"
        text = page.read_text(encoding="utf-8")
        driven.write_text(text.replace("</body>", DRIVER.replace("KEYS", json.dumps(keys)) + "</body>"), encoding="utf-8")
        command = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   f"--user-data-dir={self.folder / 'profile'}", "--virtual-time-budget=4000", "--dump-dom", driven.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        found = re.search(r'<output id="result">([^<]*)</output>', done.stdout)
        if not found:
            raise RuntimeError(f"no result from {self.program}: {done.stderr[-400:]}")
        return json.loads(base64.b64decode(html.unescape(found[1])).decode("utf-8", "surrogatepass"))


def expected_line(pair, data, choice):
    label = "tie" if choice == "t" else choice if pair["order"] == "ab" else {"a": "b", "b": "a"}[choice]
    return {"pair_id": pair["id"], "texts": pair["texts"], "store": data["store"], "labeler": data["labeler"],
            "pick": pair["pick"], "order": pair["order"], "label": label}


def lines_of(saved):
    lines = [json.loads(line) for line in saved.splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines], lines


def page_checks(rlaif, scratch):
    """What holds of the page as a file, without a browser. Yields (name, whether it holds, what was seen)."""
    run, records = nasty_run(rlaif, scratch)
    page = scratch / "nasty.html"
    subprocess.run([rlaif, "spotcheck", "export", run, "ai", page, "--name=alice", "--count=6"], check=True, capture_output=True)
    text = page.read_text(encoding="ascii", errors="strict") if page.read_bytes().isascii() else page.read_text(encoding="utf-8")
    island = re.search(r'<script type="application/json" id="pairs">(.*?)</script>', text, re.S)[1]
    data = json.loads(island)
    yield "texts are plain ASCII without a bracket in the page", island.isascii() and not set("<>&\0") & set(island), island[:200]
    yield "the page is one file that fetches nothing", not re.search(r'(src|href)=|url\(|@import|https?:', text.replace(island, "")), page
    yield "judge and verdicts are not in the page", "p_first" not in text and not any(
        set(pair) - {"id", "texts", "pick", "order", "prompt", "shown"} for pair in data["pairs"]), list(data["pairs"][0])
    shown = all(sorted(pair["shown"]) == sorted((records[pair["id"]]["first"], records[pair["id"]]["second"])) and
                (pair["shown"][0] == records[pair["id"]]["first"]) == (pair["order"] == "ab") for pair in data["pairs"])
    orders = {pair["order"] for pair in data["pairs"]}
    yield "each pair stands in an order that was drawn", shown and orders == {"ab", "ba"}, orders


def browser_checks(browser, scratch):
    page = scratch / "nasty.html"
    data = json.loads(re.search(r'id="pairs">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)[1])
    pairs = data["pairs"]
    texts = [[pair["prompt"], *pair["shown"]] for pair in pairs]
    first = browser.drive(page, ["a", "b", "#choose-t", "ArrowLeft", "B", "x", "s"])
    at = [0, 1, 2, 3, 2, 3, 3, 3]
    yield "every text is shown as it is", first["seen"] == [texts[i] for i in at], first["seen"]
    yield "none of them runs or becomes an element", first["title"] == "Spot check" and first["elements"] == 3, first
    yield "keys and buttons label and move on", first["places"] == [f"pair {i + 1} of 6" for i in at], first["places"]
    yield "progress is counted", first["counts"] == [f"{n} labelled" for n in (0, 1, 2, 3, 3, 3, 3, 3)], first["counts"]
    plain, lines = lines_of(first["saved"][0])
    wanted = [expected_line(pair, data, choice) for pair, choice in zip(pairs, "abb")]
    yield "labels are saved as JSON Lines, a change counting", plain == wanted and all(line["seconds"] >= 0 for line in lines), plain
    yield "to a file by the labeler's name", re.fullmatch(r"labels-alice-[0-9a-f]{8}\.jsonl", first["names"][0]), first["names"]
    second = browser.drive(page, ["t", "a", "a", "ArrowLeft", "s"])
    yield "the browser keeps labels until the next visit", second["places"][0] == "pair 4 of 6" and second["counts"][0] == "3 labelled", second["places"]
    plain, _ = lines_of(second["saved"][0])
    wanted = [expected_line(pair, data, choice) for pair, choice in zip(pairs, "abbtaa")]
    yield "and saves old and new ones together", plain == wanted and second["pressed"] == ["a"], plain
    (scratch / "browser-labels.jsonl").write_text(second["saved"][0], encoding="utf-8")


def import_checks(rlaif, scratch):
    done = subprocess.run([rlaif, "spotcheck", "import", scratch / "browser-labels.jsonl", scratch / "nasty"], capture_output=True, text=True)
    yield "what a browser saved is imported", done.returncode == 0 and "spotcheck-alice: 6 labels (6 new" in done.stdout, done.stdout + done.stderr


def main():
    rlaif, scratch = sys.argv[1], pathlib.Path(sys.argv[2])
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    groups = [page_checks(rlaif, scratch)]
    failed = 0
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        if program:
            groups += [browser_checks(Browser(program, pathlib.Path(folder)), scratch), import_checks(rlaif, scratch)]
        for group in groups:
            for name, holds, seen in group:
                failed += not holds
                print(f"PASS {name}" if holds else f"FAIL {name}: {' '.join(str(seen).split())[:600]}")
    if not program:
        print("SKIP the spot-check page in a browser: Chromium is not installed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, subprocess.SubprocessError, OSError) as error:
        print(f"FAIL the spot-check page: {' '.join(str(error).split())[:600]}")
        sys.exit(1)
