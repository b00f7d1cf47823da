"""Holds the program's chat templates against jinja2, set up as transformers sets it up.

    chat_templates.py RENDER generated SEED COUNT   templates put together at random
    chat_templates.py RENDER folder PATH            every *.jinja of a folder, on several conversations each

RENDER is the test program render_template. Texts must be equal to the character; where jinja2 raises, the program must
refuse, and what came from contents must be told from what the template wrote: contents are marked by a character of their own,
which must be found in parts that are contents alone. The last line is a count; the exit code is 1 where anything differs."""
import copy
import functools
import json
import pathlib
import random
import subprocess
import sys
import warnings
from datetime import date, datetime

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

DAY = date(2025, 3, 9)
MARK = "\u2042"  # stands in contents and in no template


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


@functools.cache
def environment(day):
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    if day:
        made.globals["strftime_now"] = lambda form: datetime(day.year, day.month, day.day).strftime(form)
    return made


@functools.lru_cache(maxsize=4)
def compiled(template, day):
    return environment(day).from_string(template)


def reference(request):
    day = date.fromisoformat(request["date"]) if request["date"] else None
    try:
        return {"text": compiled(request["template"], day).render(**copy.deepcopy(request["variables"]))}
    except Exception as problem:  # whatever Python raises within a template is a refusal
        return {"error": f"{type(problem).__name__}: {problem}"}


def ours(render, requests):
    """Answers in order; a process that ends before its time is an answer too."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([render], input=text, capture_output=True, text=True, timeout=3600)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) < len(requests):
        sys.exit(f"render_template ended ({done.returncode}) at {json.dumps(requests[len(answers)])[:2000]}\n{done.stderr[-2000:]}")
    return answers


def difference(request, want, have):
    """Nothing where they agree."""
    if "error" in want:
        return None if "error" in have else f"jinja2 raises {want['error']}, the program writes {have['text']!r}"
    if "error" in have:
        return f"jinja2 writes {want['text']!r}, the program says {have['error']}"
    if want["text"] != have["text"]:
        at = next((i for i, (a, b) in enumerate(zip(want["text"], have["text"])) if a != b), min(len(want["text"]), len(have["text"])))
        return f"at {at}: jinja2 {want['text'][max(0, at - 60):at + 60]!r}, the program {have['text'][max(0, at - 60):at + 60]!r}"
    if have["text"].count(MARK) != sum(part.count(MARK) for part in have["contents"]):
        return f"contents are taken for the template's own: {have['contents']!r} of {have['text']!r}"
    return None


# --- real templates --------------------------------------------------------------------------------

def conversations():
    mark = MARK
    hello = {"role": "user", "content": f"Hello there.{mark}"}
    answer = {"role": "assistant", "content": f"Hi! How can I help?{mark}"}
    more = {"role": "user", "content": f"What is 2 + 3?{mark}"}
    system = {"role": "system", "content": f"Be brief.{mark}"}
    yield "one turn", [hello]
    yield "system", [system, hello]
    yield "three turns", [hello, answer, more]
    yield "system and three turns", [system, hello, answer, more]
    yield "five turns", [system, hello, answer, more, {"role": "assistant", "content": f"5{mark}"}, {"role": "user", "content": f"Sure?{mark}"}]
    yield "ends with an answer", [system, hello, answer]
    yield "white space", [{"role": "user", "content": f" \n two lines \n\n{mark}  "}, {"role": "assistant", "content": f"\n ok{mark} \n"}, {"role": "user", "content": f"\tx{mark}\t"}]
    yield "white space in the system text", [{"role": "system", "content": f"  \nKind.{mark}\n\n"}, hello]
    yield "languages", [{"role": "user", "content": f"日本語{mark} العربية \u200d👩‍🔬 ß İ Σ e\u0301"}, {"role": "assistant", "content": f"Ünïcödé{mark} „quotes“"}, {"role": "user", "content": f"मराठी{mark}"}]
    yield "thoughts", [hello, {"role": "assistant", "content": f"<think>\nHm{mark}.\n</think>\n\nYes.{mark}"}, more]
    yield "control texts", [
        {"role": "user", "content": f"<|im_end|>\n<|im_start|>system{mark} [/INST] <</SYS>> </s><s> <|eot_id|><|start_header_id|> <end_of_turn> <|end|> {{{{ messages }}}} {{% if %}} \\n \\\\boxed"},
        {"role": "assistant", "content": f"</think> <｜Assistant｜> ### Instruction:{mark} 'quoted' \"twice\""}, more]
    yield "empty contents", [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}, {"role": "user", "content": mark}]
    yield "two of the user", [hello, more]
    yield "answer first", [answer, hello]
    yield "system late", [hello, system]


TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def real_requests(folder):
    for file in sorted(pathlib.Path(folder).glob("*.jinja")):
        template = file.read_text(encoding="utf-8")
        for name, messages in conversations():
            for prompt in (True, False):
                for day in ("", DAY.isoformat()) if "strftime_now" in template else (DAY.isoformat(),):
                    variables = {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": prompt, **TOKENS}
                    yield f"{file.name}, {name}, {'with' if prompt else 'without'} prompt", {"template": template, "variables": variables, "date": day}


# --- templates put together at random --------------------------------------------------------------

class Generator:
    """Expressions and statements of every kind; most of them make sense, some raise."""

    NAMES = ["a", "b", "c", "n", "x", "flag", "items", "table", "messages", "missing", "nothing", "real", "word", "bos_token"]
    TEXTS = ["", "a", "Hello World", "  pad ", "x,y,,z", "é ß ﬁ Σ", "line\nbreak\r\nend", "%s and %d", "{} {0}", "<b>&'\"", "</think>rest", "ABC def", "1_0", " 12 ", "3.5"]
    NUMBERS = ["0", "1", "2", "3", "-1", "7", "10", "1.5", "0.1", "2.0", "1e3", "12345678901234", "1e22", "0.00001"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(choices)

    def text(self):
        text = self.pick(self.TEXTS)
        quote = self.pick("'\"")
        return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n").replace("\r", "\\r") + quote

    def leaf(self):
        kind = self.random.random()
        if kind < 0.35:
            return self.pick(self.NAMES)
        if kind < 0.6:
            return self.text()
        if kind < 0.8:
            return self.pick(self.NUMBERS)
        return self.pick(["true", "false", "none", "[]", "{}", "messages[0].content", "messages[-1]['role']", "table.k", "items[1:]", "items[::-1]",
                          "word[1:-1]", "word[::2]", "word[-3:]", "missing.x", "(1, 2)", "loop.index", "ns.v", "range(3)", "range(5, 0, -2)"])

    def filter(self, depth):
        e = lambda: self.expression(depth - 1)
        return self.pick([
            "trim", "upper", "lower", "title", "capitalize", "length", "count", "first", "last", "list", "string", "int", "float", "abs", "round", "reverse",
            "sort", "unique", "tojson", "items", "join", "sum", "min", "max", "safe", "e", "wordcount", "default", "list|tojson", "tojson(indent=2)",
            f"default({e()})", f"d({e()}, true)", f"join({e()})", f"replace({e()}, {e()})", f"round({self.pick(['1', '2', '0'])})", "round(1, 'floor')", "round(method='ceil')",
            "map('upper')|list", "map(attribute='content')|join('|')", "map(attribute='role')|list", "select('string')|list", "reject('none')|list", "selectattr('role', 'equalto', 'user')|list|length",
            "rejectattr('role', 'eq', 'user')|map(attribute='content')|list", "selectattr('content')|list|count", "dictsort", "dictsort(by='value')", "dictsort(true, reverse=true)",
            "batch(2)|list", "batch(2, 'f')|list", "slice(2)|list", "slice(3, 'f')|list", "indent", "indent(2, true)", "indent(width='> ', blank=true)", "center(20)", "truncate(9)", "truncate(7, true, '!')",
            "trim('ab ')", "int(5)", "int(base=16)", "float(2.5)", "sort(reverse=true)", "sort(attribute='role')|map(attribute='content')|list", "groupby('role')|list|length", "unique|list", "map('length')|list",
            f"format({e()}, {e()})", "tojson(sort_keys=true)", "tojson(ensure_ascii=true)", "string|length", "list|reverse|list", "map('default', 'z')|list", "attr('upper')", "min(attribute='content')", "tojson(separators=(',', ':'))"])

    def test(self, depth):
        return self.pick(["defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean", "true", "false", "odd", "even", "lower", "upper", "callable",
                          f"equalto {self.leaf()}", f"eq({self.expression(depth - 1)})", f"ne {self.leaf()}", f"in {self.pick(['items', 'word', '[1, 2]', 'table', 'missing'])}", "divisibleby 2", "sameas none", f"gt {self.leaf()}", f"lt({self.leaf()})", "ge 1", "le 2", "escaped", "filter", "test"])

    def method(self, depth):
        e = lambda: self.expression(depth - 1)
        return self.pick([
            "strip()", "lstrip()", "rstrip()", f"strip({self.text()})", "rstrip('\\n ')", f"split({self.text()})", "split()", "split(',')", "split(',', 1)", "split(maxsplit=1)", "rsplit(',', 1)", "rsplit()", "rsplit(None, 1)", "split('</think>')[-1]",
            "startswith('a')", "startswith(('a', 'H'))", "endswith('d')", "endswith(' ', 0, 4)", f"replace({self.text()}, {self.text()})", "replace('', '-')", "replace('a', 'b', 1)", "upper()", "lower()", "title()", "capitalize()", "swapcase()", "find('l')", "rfind('l')", "find('l', 4)",
            "index('l')", "count('l')", f"join({e()})", f"join(['p', 'q'])", "items()", "keys()", "values()", "items()|list", "keys()|list", "get('k')", f"get({e()}, 'd')", "isdigit()", "isalpha()", "isspace()", "isupper()", "islower()", "istitle()", "isalnum()", "splitlines()", "splitlines(true)",
            "partition(' ')", "rpartition(' ')", "removeprefix('a')", "removesuffix('d')", "zfill(8)", "ljust(12, '.')", "rjust(12)", "center(11, '*')", f"format({e()}, {e()})", "append(1)", "pop()", "update({})", "copy()", "nosuch", "content", "k", "role", "length", "casefold()"])

    def expression(self, depth):
        if depth <= 0:
            return self.leaf()
        e = lambda: self.expression(depth - 1)
        kind = self.random.randrange(18)
        if kind == 0:
            return f"({e()} {self.pick(['+', '-', '*', '/', '//', '%', '~', '~', '+', '+'])} {e()})"
        if kind == 1:
            return f"{e()} {self.pick(['+', '~', '*', '-', '%'])} {e()} {self.pick(['+', '~', '*', '//'])} {e()}"
        if kind == 2:
            return f"({e()} {self.pick(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()})"
        if kind == 3:
            return f"({e()} {self.pick(['<', '==', '<='])} {e()} {self.pick(['<', '!=', '>'])} {e()})"
        if kind == 4:
            return f"({e()} {self.pick(['and', 'or'])} {e()})"
        if kind == 5:
            return f"(not {e()})"
        if kind == 6:
            return f"({e()} if {e()}{self.pick([f' else {e()}', f' else {e()}', ''])})"
        if kind in (7, 8, 9):
            return f"{self.wrapped(depth)}|{self.filter(depth)}"
        if kind == 10:
            return f"({self.wrapped(depth)} is {self.pick(['', '', 'not '])}{self.test(depth)})"
        if kind in (11, 12):
            return f"{self.wrapped(depth)}.{self.method(depth)}"
        if kind == 13:
            return f"[{', '.join(e() for _ in range(self.random.randrange(4)))}]"
        if kind == 14:
            return "{" + ", ".join(f"{self.pick([self.text(), '1', 'none'])}: {e()}" for _ in range(self.random.randrange(3))) + "}"
        if kind == 15:
            return f"{self.wrapped(depth)}[{self.pick(['0', '-1', '1:', ':-1', '::-1', '::2', '1:3', '-2:', self.text(), e(), 'n', ':n'])}]"
        if kind == 16:
            return f"({', '.join(e() for _ in range(2))},)"
        return f"{self.pick(['-', '+', ''])}{self.leaf()} {self.text()}" if self.random.random() < 0.05 else f"{self.pick(['m1', 'm2', 'dict', 'namespace', 'cycler', 'range'])}({self.pick(['', e(), f'{e()}, {e()}', f'a={e()}', f'{e()}, b={e()}', f'*{e()}'])})"

    def wrapped(self, depth):
        inner = self.expression(depth - 1)
        return inner if inner.isidentifier() or self.random.random() < 0.2 else f"({inner})"

    def tag(self, inside):
        return "{%" + self.pick(["", "", "", "-", "-", "+"]) + " " + inside + " " + self.pick(["", "", "", "-", "-", "+"]) + "%}"

    def output(self, depth):
        return "{{" + self.pick(["", "", "-"]) + " " + self.expression(depth) + " " + self.pick(["", "", "-"]) + "}}"

    def data(self):
        return self.pick(["text", " ", "\n", "  \n  ", "\n    ", "A \n", "\t", "<|x|>\n", "é", "\n\n", "{", "}", "%", "{# note #}", "{#- note -#}\n", "  {# x #}\n", "\r\n", "{% raw %}{{ x }}{% endraw %}", "{%- raw -%} {% y %} \n{%- endraw +%}\n"])

    def statement(self, depth):
        s = lambda: self.body(depth - 1)
        e = lambda: self.expression(self.random.randrange(3))
        t = self.tag
        kind = self.random.randrange(14)
        if kind in (0, 1):
            middle = t("elif " + e()) + s() if self.random.random() < 0.3 else ""
            other = t("else") + s() if self.random.random() < 0.5 else ""
            return t("if " + e()) + s() + middle + other + t("endif")
        if kind in (2, 3, 4):
            target, what = self.pick([("x", "items"), ("m", "messages"), ("k, v", "table.items()"), ("k, v", "table|items"), ("x", e()), ("x", "range(4)"), ("ch", "word"), ("x", "missing"), ("k", "table"), ("x", "items|map('string')"), ("(a, b), c", "[((1, 2), 3), ((4, 5), 6)]")])
            test = self.pick(["", "", f" if {e()}", " if loop", " if x", f" if not ns.v"])
            extra = self.pick(["", "", self.output(1), "{{ loop.index }}/{{ loop.length }}{{ loop.last }}", "{{ loop.revindex0 }}{{ loop.first }}", "{{ loop.previtem }}|{{ loop.nextitem }}", "{{ loop.cycle('p', 'q') }}{{ loop.depth }}",
                               "{{ loop.changed(x) }}", t("if loop.index > 2") + t(self.pick(["break", "continue"])) + t("endif"), t("set ns.v = loop.index"), "{{ loop.last }}{{ loop.length }}", t("set x = x ~ '!'") + "{{ x }}"])
            other = t("else") + s() if self.random.random() < 0.3 else ""
            return t(f"for {target} in {what}{test}") + extra + s() + other + t("endfor")
        if kind in (5, 6):
            return t(self.pick([f"set {self.pick(['x', 'a', 'y', 'bos_token'])} = {e()}", f"set ns.v = {e()}", f"set a, b = {e()}, {e()}", f"set a, b = {e()}", f"set ns.w, x = 1, {e()}", "set (a, b) = (b, a)"]))
        if kind == 7:
            return t(self.pick(["set x", "set x | trim | upper", "set ns.v"])) + s() + t("endset") + "{{ x }}"
        if kind == 8:
            name = self.pick(["m1", "m2"])
            return t(f"macro {name}({self.pick(['', 'a', 'a, b=1', 'a=x', 'a, b=a', 'caller=none'])})") + s() + self.pick(["", "{{ a }}", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller else 'none' }}"]) + t("endmacro") + self.pick(["", "{{ " + name + "(1) }}", "{{ " + name + "(n, b=2) }}", "{{ " + name + "() }}"])
        if kind == 9:
            return t(f"call{self.pick(['', '(q)'])} {self.pick(['m1', 'm2'])}({self.pick(['', e()])})") + s() + t("endcall")
        if kind == 10:
            return t("filter " + self.pick(["upper", "trim", "replace('a', 'b')", "indent(2)", "trim|length", "title"])) + s() + t("endfilter")
        if kind == 11:
            return t(f"with {self.pick(['x = ' + e(), 'x = 1, y = x', 'a = ' + e() + ', b = n', ''])}") + s() + "{{ x }}{{ y }}" + t("endwith")
        if kind == 12:
            return t("generation") + s() + t("endgeneration")
        return t("for x in [[1, [2]], [3]] recursive") + "{{ loop.depth }}{{ loop(x) if x is iterable else x }}" + t("endfor")

    def body(self, depth):
        parts = []
        for _ in range(self.random.randrange(1, 4)):
            kind = self.random.random()
            parts.append(self.data() if kind < 0.35 else self.output(self.random.randrange(4)) if kind < 0.75 or depth <= 0 else self.statement(depth))
        return "".join(parts)

    def template(self):
        start = "{% set ns = namespace(v=0) %}{% macro m1(a, b='B') %}<{{ a }}{{ b }}>{% endmacro %}{% macro m2() %}{{ caller() if caller else '' }}{{ varargs|length }}{{ kwargs|length }}{% endmacro %}"
        if self.random.random() < 0.6:  # one thing by itself: most of what is longer raises somewhere
            return start + self.pick([self.output(2), self.output(3), self.statement(1), self.statement(2), self.data() + self.statement(1) + self.data()])
        return self.pick([start, start, start, ""]) + "".join(self.body(3) for _ in range(self.random.randrange(1, 4)))


VARIABLES = {"a": "alpha", "b": ["p", "q"], "c": "Hello World", "n": 2, "x": "ex", "flag": True, "items": [3, 1, 2], "table": {"k": "v", "b": 1, "A": None}, "nothing": None, "real": 2.5, "word": "wörd wide",
             "bos_token": "<s>", "messages": [{"role": "system", "content": f" Sys{MARK} "}, {"role": "user", "content": f"{MARK}Hello a\nb"}, {"role": "assistant", "content": f"think</think>{MARK}done"}]}


def generated_requests(seed, count):
    generator = Generator(seed)
    for i in range(count):
        yield f"seed {seed}, template {i}", {"template": generator.template(), "variables": VARIABLES, "date": ""}


# What Python writes with addresses in it, or the program refuses by design: not compared where jinja2 succeeds. (jinja2 makes
# of a constant that cannot be sliced, 7[1:], an undefined value when it compiles, and an exception of any other.)
NOT_COMPARED = ("cannot be sliced", "cannot be written as text", "is not covered", "beyond 64 bits", "goes beyond", "more than 20000000 steps", "levels", "characters")


def main():
    warnings.simplefilter("ignore")  # Python's, of expressions that cannot come to anything
    render, mode = sys.argv[1:3]
    named = list(real_requests(sys.argv[3]) if mode == "folder" else generated_requests(int(sys.argv[3]), int(sys.argv[4])))
    answers = ours(render, [request for _, request in named])
    different = refused = refused_by_design = 0
    for (name, request), have in zip(named, answers):
        want = reference(request)
        if "error" in have and "error" not in want and mode == "generated" and any(part in have["error"] for part in NOT_COMPARED):
            refused_by_design += 1
            continue
        refused += "error" in want
        if problem := difference(request, want, have):
            different += 1
            if different <= 20:
                print(f"{name}: {problem}" + (f"\n  {request['template']!r}" if mode == "generated" else ""))
        if mode == "folder" and "error" in want and "--refusals" in sys.argv:
            print(f"refused by both: {name}: {want['error'][:150]} | {have.get('error', '')[:200]}")
    templates = len({request["template"] for _, request in named})
    print(f"{templates} templates, {len(named)} prompts compared, {different} different, {refused} refused by both sides' rules, {refused_by_design} not covered")
    sys.exit(1 if different else 0)


main()
