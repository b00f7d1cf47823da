// Chat templates, construct by construct. What is expected was written by jinja2 3.1.6 with transformers' settings.
#include "rlaif/templates/chat_template.hpp"

#include <utility>

#include "support/expect_error.hpp"

namespace rlaif::templates {
namespace {

const Json kVariables = {{"messages", Json::array({{{"role", "system"}, {"content", " Be kind. "}},
                                                   {{"role", "user"}, {"content", "Hi there"}},
                                                   {{"role", "assistant"}, {"content", "<think>x</think>Yes"}}})},
                         {"bos_token", "<s>"},
                         {"n", 3},
                         {"items", {3, 1, 2}},
                         {"table", {{"b", 1}, {"A", nullptr}, {"c", "x"}}},
                         {"none_value", nullptr},
                         {"word", "wörd"}};

std::string rendered(const std::string& source, const Json& variables = kVariables, const std::string& date = "") {
  std::string text;
  for (const Piece& piece : ChatTemplate::parse(source, "folder/chat_template.jinja").render(variables, date))
    text += piece.text;
  return text;
}

void writes(const std::vector<std::pair<std::string, std::string>>& cases) {
  for (const auto& [source, text] : cases) EXPECT_EQ(rendered(source), text) << source;
}

TEST(ChatTemplate, white_space_around_tags_goes_as_signs_and_settings_say) {
  writes({
      {"A\n  {% if true %}\n  B\n  {% endif %}\nC\n", "A\n  B\nC"},
      {"A {%- if true -%} B {%- endif -%} C", "ABC"},
      {"A\n{%+ if true +%}\n B{% endif %}", "A\n\n B"},
      {"  {{ 1 }}\n  {{- 2 -}}  \n3", "  123"},
      {"a{# x #}\nb\n  {# y #}\nc{#- z -#} d", "ab\ncd"},
      {"{% raw %}\n{{ x }} {% y %}\n  {% endraw %}\nz", "\n{{ x }} {% y %}\nz"},
      {"a\r\nb\rc\n\n", "a\nb\nc\n"},
      {"{%- raw -%} {{ }} {%- endraw -%} e", "{{ }}e"},
  });
}

TEST(ChatTemplate, literals_are_read_as_python_reads_them) {
  writes({
      {"{{ 'a\\nb\\t\\x41\\u00e9\\101\\\\\\'\\q' }}", "a\nb\tAéA\\'\\q"},
      {"{{ \"é\" 'joined' \"too\" }}", "éjoinedtoo"},
      {"{{ [1, 2.50, 1e3, 1e22, 1_000, true, None, 'x', (1,), (), {'k': [1]}] }}",
       "[1, 2.5, 1000.0, 1e+22, 1000, True, None, 'x', (1,), (), {'k': [1]}]"},
      {"{{ [0.1 + 0.2, 1/3, 1e16, 1e15, 1e-5, 0.0001, -0.0, 5.0] }}",
       "[0.30000000000000004, 0.3333333333333333, 1e+16, 1000000000000000.0, 1e-05, 0.0001, -0.0, 5.0]"},
      {"{{ ['it\\'s', '\"', '\\n', '\342\200\215', 'é'] }}", "[\"it's\", '\"', '\\n', '\\u200d', 'é']"},
      {"{{ '\\é' }}", "\\xe9"},
  });
}

TEST(ChatTemplate, operators_have_pythons_order_and_meaning) {
  writes({
      {"{{ 1 + 2 * 3 ** 2 - -1 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % "
       "3 }} {{ 7 / 2 }} {{ 7.5 // 2 }} {{ 2 ** -1 }}",
       "20 64 4 3 -4 2 3.5 3.0 0.5"},
      {"{{ 'a' ~ 1 ~ none ~ 1.5 }} {{ 'ab' * 2 }} {{ [1] + [2] }} {{ 'x' + 'y' }} {{ '%s is %d, %05.1f "
       "%r' % ('a', 3, 2.25, 'q') }}",
       "a1None1.5 abab [1, 2] xy a is 3, 002.2 'q'"},
      {"{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ true == 1 }} {{ [1, 2] == "
       "[1, 2] }} {{ (1,) == [1] }} {{ none == false }}",
       "True False True True True True False False"},
      {"{{ 'a' in 'abc' }} {{ 4 not in [1, 2] }} {{ 'b' in table }} {{ not 1 in [1] }} {{ 1 in missing "
       "}}",
       "True True True False False"},
      {"{{ 0 or 'x' }} {{ 1 and 0 }} {{ not '' }} {{ 'a' if n > 2 else 'b' }}|{{ 'a' if n > 5 }}|{{ "
       "('a' if n > 5) is defined }}",
       "x 0 True a||False"},
      {"{{ items[0] }}{{ items[-1] }}{{ items[7] }}{{ items[1:] }}{{ items[::-1] }}{{ items[-2:] }}{{ "
       "word[1:3] }}{{ word[::-2] }}{{ table.b }}{{ table['c'] }}{{ messages.0.role }}{{ missing }}{{ "
       "table.nosuch }}",
       "32[1, 2][2, 1, 3][1, 2]ördö1xsystem"},
  });
}

TEST(ChatTemplate, statements) {
  writes({
      {"{% for m in messages %}{{ loop.index }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ "
       "(loop.previtem or {}).role }}{{ (loop.nextitem or {}).role }}{{ loop.cycle('a', 'b') }}{{ loop.changed(1) "
       "}}{{ loop.length }} {% endfor %}",
       "1TrueFalse3useraTrue3 2FalseFalse2systemassistantbFalse3 3FalseTrue1useraFalse3 "},
      {"{% for x in items if x > 1 %}{{ loop.index }}:{{ x }}{{ loop.length }} {% else %}none{% endfor "
       "%}{% for x in [] %}{% else %}empty{% endfor %}",
       "1:32 2:22 empty"},
      {"{% for k, v in table.items() %}{{ k }}={{ v }};{% endfor %}{% for k in table %}{{ k }}{% endfor "
       "%}{% for (a, b), c in [((1, 2), 3)] %}{{ a + b + c }}{% endfor %}",
       "b=1;A=None;c=x;bAc6"},
      {"{% for x in range(9) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% "
       "endif %}{{ x }}{% endfor %}{{ x }}",
       "023"},
      {"{% for x in [[1, [2]], 3] recursive %}{{ loop.depth }}{{ loop(x) if x is iterable else x }}{% "
       "endfor %}",
       "12123213"},
      {"{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + 10 %}{{ x }} {% endfor %}{{ x }}{% set ns "
       "= namespace(a=0) %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}",
       "11 11 13"},
      {"{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set t %} body {{ a }} {% endset %}[{{ t }}]{% set u | "
       "trim | upper %} body {% endset %}[{{ u }}]",
       "12[ body 1 ][BODY]"},
      {"{% if n == 1 %}a{% elif n == 3 %}b{% else %}c{% endif %}{% if missing %}d{% endif %}", "b"},
      {"{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1) "
       "}}|{{ f(1, c=5) }}|{{ f(1, 2, 3, 4, z=5) }}",
       "121(){}|125(){}|123(4,){'z': 5}"},
      {"{% macro box(t) %}<{{ t }}{{ caller(1) }}>{% endmacro %}{% call(v) box('x') %}in{{ v }}{% endcall "
       "%}",
       "<xin1>"},
      {"{% filter upper | replace('A', 'b') %}a{{ n }}{% endfilter %}{% with x = 1, y = n %}{{ x }}{{ "
       "y }}{% endwith %}{{ x }}{% generation %}g{% endgeneration %}{% print 1, 2 %}",
       "b313g12"},
      {"{% for m in messages %}{{ bos_token }}{% endfor %}{% set bos_token = 'late' %}{{ bos_token }"
       "}",
       "late"},
      {"{% macro f() %}{{ y }}{% endmacro %}{% set y = 5 %}{{ f() }}", "5"},
  });
}

TEST(ChatTemplate, filters) {
  writes({
      {"{{ ' a '|trim }}|{{ 'xxaxx'|trim('x') }}|{{ 'aB c-d'|title }}|{{ 'aB'|capitalize }}|{{ 'ß'|upper "
       "}}|{{ 'ΑΣ'|lower }}|{{ none|upper }}",
       "a|a|Ab C-D|Ab|SS|ας|NONE"},
      {"{{ missing|default('d') }}{{ ''|default('d') }}{{ ''|d('d', true) }}|{{ items|join(', ') }}|"
       "{{ messages|join('/', attribute='role') }}|{{ 'abc'|join('-') }}",
       "dd|3, 1, 2|system/user/assistant|a-b-c"},
      {"{{ items|length }}{{ 'wörd'|count }}{{ missing|length }}{{ items|first }}{{ items|last }}{{ "
       "[]|first }}{{ items|sum }}{{ items|min }}{{ items|max }}{{ items|sort }}{{ items|reverse|list "
       "}}{{ 'abc'|reverse }}{{ 'abc'|list }}",
       "34032613[1, 2, 3][2, 1, 3]cba['a', 'b', 'c']"},
      {"{{ ['b', 'A', 'a']|sort }}{{ ['b', 'A', 'a']|sort(case_sensitive=true, reverse=true) }}{{ ['a', "
       "'A', 'b']|unique|list }}{{ messages|map(attribute='role')|list }}{{ ['a', 'b']|map('upper')|"
       "join }}{{ [{'a': 1}, {}]|map(attribute='a', default=0)|list }}",
       "['A', 'a', 'b']['b', 'a', 'A']['a', 'b']['system', 'user', 'assistant']AB[1, 0]"},
      {"{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list }}{{ messages|"
       "rejectattr('role', 'in', ['user', 'system'])|list|length }}{{ [0, 1, none, 2]|select|list }}"
       "{{ [1, 2, 3]|reject('odd')|list }}",
       "['Hi there']1[1, 2][2]"},
      {"{{ table|dictsort }}{{ {'b': 1, 'a': 2}|dictsort(by='value') }}{{ table|items|list }}{{ [1, "
       "2, 3]|batch(2, 0)|list }}{{ [1, 2, 3]|slice(2)|list }}{% for k, g in messages|groupby('role') "
       "%}{{ k }}{{ g|length }}{% endfor %}",
       "[('A', None), ('b', 1), ('c', 'x')][('b', 1), ('a', 2)][('b', 1), ('A', None), ('c', 'x')][[1, "
       "2], [3, 0]][[1, 2], [3]]assistant1system1user1"},
      {"{{ {'é': [1, 2.0, none, true, '\"<&>\\n'], 'b': {}}|tojson }} {{ {'a': [1, {'b': []}]}|tojson(indent=2) "
       "}} {{ 'é'|tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': 2}|tojson(separators=(',', ':'), sort_keys=true) "
       "}}",
       "{\"é\": [1, 2.0, null, true, \"\\\"<&>\\n\"], \"b\": {}} {\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    "
       "}\n "
       " ]\n} \"\\u00e9\" {\"a\":2,\"b\":1}"},
      {"{{ '12'|int }}{{ '3.9'|int }}{{ 'x'|int }}{{ 'x'|int(7) }}{{ 'ff'|int(0, 16) }}{{ 3.99|int }"
       "}|{{ '2.5'|float }}{{ 'x'|float }}|{{ -3|abs }}|{{ 2.5|round }}{{ 3.14159|round(2) }}{{ 2.1|"
       "round(method='ceil') }}{{ 7|round }}|{{ 1.5|string ~ 'a' }}",
       "123072553|2.50.0|3|2.03.143.07|1.5a"},
      {"{{ 'a\\nb\\n\\nc'|indent }}|{{ 'a\\nb'|indent(2, first=true) }}|{{ 'a b c'|replace('b', 'x') }}|"
       "{{ 'aaa'|replace('a', 'b', 2) }}|{{ '%s-%s'|format(1, 'b') }}|{{ 'one two three'|truncate(8, "
       "leeway=0) }}|{{ 'a b_c'|wordcount }}|{{ 'ab'|center(6) }}",
       "a\n    b\n\n    c|  a\n  b|a x c|bba|1-b|one...|2|  ab  "},
      {"{{ '<a&\"\\'>'|e }}{{ '<b>'|safe }}{{ ('<b>'|safe) + '<i>' }}{{ ('<b>'|safe) ~ '<i>' }}",
       "&lt;a&amp;&#34;&#39;&gt;<b><b>&lt;i&gt;<b><i>"},
  });
}

TEST(ChatTemplate, tests) {
  writes({
      {"{{ n is defined }}{{ missing is undefined }}{{ none_value is none }}{{ 'a' is string }}{{ table "
       "is mapping }}{{ items is iterable }}{{ n is iterable }}{{ 'a' is sequence }}{{ true is number "
       "}}{{ 1 is integer }}{{ true is integer }}{{ 1.0 is float }}{{ false is boolean }}{{ true is "
       "true }}{{ 1 is true }}{{ false is false }}",
       "TrueTrueTrueTrueTrueTrueFalseTrueTrueTrueFalseTrueTrueTrueFalseTrue"},
      {"{{ 3 is odd }}{{ 3 is even }}{{ 9 is divisibleby 3 }}{{ 1 is eq 1 }}{{ 1 is equalto(2) }}{{ "
       "1 is ne 2 }}{{ 1 is lt 2 }}{{ 1 is ge(1) }}{{ 'a' is in 'abc' }}{{ none is sameas none }}{{ "
       "'a' is lower }}{{ 'A' is upper }}{{ range is callable }}{{ 'trim' is filter }}{{ 'odd' is test "
       "}}{{ n is not defined }}{{ not n is defined }}",
       "TrueFalseTrueTrueFalseTrueTrueTrueTrueTrueTrueTrueTrueTrueTrueFalseFalse"},
  });
}

TEST(ChatTemplate, methods) {
  writes({
      {"{{ '  a '.strip() }}|{{ 'xax'.strip('x') }}|{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ 'a,b,c'.split(',') "
       "}}{{ ' a  b '.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'a,b,c'.rsplit(',', 1) }}{{ "
       "'a</think>b'.split('</think>')[-1] "
       "}}",
       "a|a|a | a|['a', 'b', 'c']['a', 'b']['a', 'b,c']['a,b', 'c']b"},
      {"{{ 'abc'.startswith('a') }}{{ 'abc'.startswith(('x', 'a')) }}{{ 'abc'.endswith('bc') }}{{ 'abc'.replace('b', "
       "'') }}{{ 'abc'.find('c') }}{{ 'abc'.find('x') }}{{ 'abcb'.rfind('b') }}{{ 'abcb'.count('b') "
       "}}{{ ','.join(['a', 'b']) }}",
       "TrueTrueTrueac2-132a,b"},
      {"{{ 'a b'.title() }}{{ 'aB'.swapcase() }}{{ \"it's\".title() }}{{ 'éa'.capitalize() }}{{ '{} {0[k]}"
       " {x!r:>5}'.format({'k': 1}, x='a') if false else '{0} {1} {x!r:>5} {2:.2f} {3:,}'.format(1, "
       "[2], 3.14159, 1234567, x='a') }}",
       "A BAbIt'SÉa1 [2]   'a' 3.14 1,234,567"},
      {"{{ 'a b'.partition(' ') }}{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}{{ '7'.zfill(3) "
       "}}{{ 'a'.ljust(3, '.') }}{{ 'a'.rjust(3) }}{{ 'a\\nb\\r\\nc'.splitlines() }}{{ '12'.isdigit() }"
       "}{{ 'a1'.isalnum() }}{{ ' '.isspace() }}{{ 'A'.isupper() }}",
       "('a', ' ', 'b')bcab007a..  a['a', 'b', 'c']TrueTrueTrueTrue"},
      {"{{ table.keys()|list }}{{ table.values()|list }}{{ table.items() }}{{ table.get('b') }}{{ table.get('z') "
       "}}{{ table.get('z', 9) }}{{ items.index(2) }}{{ items.count(1) }}{{ table['keys'] is callable "
       "}}",
       "['b', 'A', 'c'][1, None, 'x']dict_items([('b', 1), ('A', None), ('c', 'x')])1None921True"},
  });
}

TEST(ChatTemplate, functions) {
  writes({
      {"{{ range(3)|list }}{{ range(5, 0, -2)|list }}{{ range(3) }}{{ range(0, 9, 2)[1] }}{{ dict(a=1, "
       "**{'b': 2}) }}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set "
       "j = joiner('|') %}{{ j() }}x{{ j() }}y",
       "[0, 1, 2][5, 3, 1]range(0, 3)2{'a': 1, 'b': 2}abax|y"},
  });
}

// --- contents and the template's own text ------------------------------------------------------------

// The text with what came from contents in brackets.
std::string marked(const std::string& source, const std::string& content) {
  const Json variables = {{"messages", Json::array({{{"role", "user"}, {"content", content}}})}, {"bos_token", "<s>"}};
  std::string text;
  for (const Piece& piece : ChatTemplate::parse("{% set c = messages[0].content %}" + source, "t").render(variables))
    text += piece.origin == Origin::contents ? "[" + piece.text + "]" : piece.text;
  return text;
}

TEST(ChatTemplate, contents_stay_contents_whatever_is_done_to_them) {
  EXPECT_EQ(marked("{{ bos_token ~ messages[0].role ~ c ~ '</s>' }}", "</s>"), "<s>user[</s>]</s>");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"{{ c + '|' + c[2:4] + '|' + c[::-1] + '|' + c[0] }}", "[ <s>x ]|[s>]|[ x>s< ]|[ ]"},
      {"{{ '<' ~ (c|trim) ~ '>' ~ c.strip() ~ c|upper ~ c.title() }}", "<[<s>x]>[<s>x <S>X  <S>X ]"},
      {"{{ c.split('>')|join('</s>') }}{{ c|replace('s', '</s>') }}", "[ <s]</s>[x  <]</s>[>x ]"},
      {"{{ '%s!' % c }}{{ '{}?'.format(c) }}{{ '<%s>'|format(c) }}", "[ <s>x ]![ <s>x ]?<[ <s>x ]>"},
      {"{{ [c]|tojson }}{{ [c] }}{{ {'k': c}|tojson(indent=1) }}",
       "[\"[ <s>x ]\"]['[ <s>x ]']{\n \"k\": \"[ <s>x ]\"\n}"},
      {"{% set t %}<{{ c }}>{% endset %}{{ t }}{% filter upper %}a{{ c }}{% endfilter %}", "<[ <s>x ]>A[ <S>X ]"},
      {"{% macro f(t) %}<{{ t }}>{% endmacro %}{{ f(c) }}{% for x in c %}{{ x }}.{% endfor %}",
       "<[ <s>x ]>[ ].[<].[s].[>].[x].[ ]."},
      {"{{ c|list|first ~ c|last ~ c|reverse ~ c * 2 }}{{ messages|map(attribute='content')|join(',') }}",
       "[   x>s<  <s>x  <s>x  <s>x ]"},
      {"{% set ns = namespace(v='') %}{% for x in [c, '</s>'] %}{% set ns.v = ns.v ~ x %}{% endfor %}{{ ns.v }}",
       "[ <s>x ]</s>"},
      {"{{ c|e }}{{ c|indent }}{{ c|center(10) }}{{ c|default('d') }}", "[ &lt;s&gt;x  <s>x ]  [ <s>x ]  [ <s>x ]"}};
  for (const auto& [source, text] : cases) EXPECT_EQ(marked(source, " <s>x "), text) << source;
  // A text of the template that equals contents is still the template's.
  EXPECT_EQ(marked("{{ '<s>' if c == '<s>' else 'other' }}{{ c in '<s>' }}", "<s>"), "<s>True");
}

// --- what is refused ---------------------------------------------------------------------------------

void refused(const std::string& source, std::vector<std::string> parts) {
  parts.push_back("folder/chat_template.jinja");
  expect_error([&] { rendered(source); }, ErrorKind::input, parts);
}

TEST(ChatTemplate, what_is_not_known_is_refused_by_name_and_line) {
  refused("\n{% include 'x' %}", {":2", "the tag 'include' is not known"});
  refused("a\nb{{ x | shout }}", {":2", "the filter 'shout' is not known"});
  refused("{{ x is loud }}", {":1", "the test 'loud' is not known"});
  refused("{% for x in y %}", {"the template ends within a block", "endfor"});
  refused("{{ 1 +\n }}", {":2", "'}}'"});
  refused("{{ x", {"'{{' has no end"});
  refused("{# x", {"no '#}'"});
  refused("{{ 'abc }}", {"a text has no end"});
  refused("{{ (1] }}", {"']' closes nothing"});
  refused("{{ word.encode() }}", {"'encode'", "not covered"});
  refused("{{ [1].append(2) }}", {"'append'", "unsafe"});
  refused("{{ lipsum() }}", {"lipsum"});
  refused("{{ 1 ?  }}", {"'?' has no meaning"});
  refused("{{ 99999999999999999999 }}", {"64 bits"});
  refused("{{ 9223372036854775807 + 1 }}", {"64 bits"});
  // Nothing is refused where it is never reached.
  EXPECT_EQ(rendered("{% if false %}{{ x | shout }}{% endif %}{{ 'a' if true else x | shout }}"), "a");
}

TEST(ChatTemplate, what_python_raises_is_refused_with_the_line) {
  refused("\n\n{{ missing.x }}", {":3", "'missing' is undefined"});
  refused("{{ table.x.y }}", {"'dict object' has no attribute 'x'"});
  refused("{{ 'a' + 1 }}", {"unsupported operand types for +", "'str'", "'int'"});
  refused("{{ 1 < 'a' }}", {"not supported"});
  refused("{{ 1 / 0 }}", {"division by zero"});
  refused("{{ none | length }}", {"no len()"});
  refused("{% for x in 5 %}{% endfor %}", {"'int' object is not iterable"});
  refused("{% set a, b = [1] %}", {"1 values are assigned to 2 names"});
  refused("{% set table.x = 1 %}", {"no namespace"});
  refused("{{ [1] | tojson | nope }}", {"'nope'"});
  refused("{{ missing | tojson }}", {"Undefined"});
  refused("\n{{ raise_exception('No system role: ' ~ n) }}",
          {":2", "the template refuses the conversation: No system role: 3"});
  refused("{{ 'abc'.index('x') }}", {"substring not found"});
}

TEST(ChatTemplate, a_rendering_is_bounded) {
  refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", {"levels deep"});
  refused("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", {"more than", "steps"});
  refused("{{ range(200000) }}", {"a range holds more than"});
  refused("{{ 'x' * 99999999 }}", {"more than", "characters"});
  refused("{% set ns = namespace(t='xxxxxxxxxx') %}{% for i in range(90) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
          {"characters"});
  refused("{% set ns = namespace(t=[]) %}{% for i in range(900) %}{% set ns.t = [ns.t] %}{% endfor %}",
          {"deep within each other"});
  refused("{{ " + std::string(500, '(') + "1" + std::string(500, ')') + " }}", {"levels stand within each other"});
  std::string row = "1";
  for (int i = 0; i < 2000; ++i) row += " + 1";
  refused("{{ " + row + " }}", {"build on each other"});
  refused("{{ '%9999999d' % 1 }}", {"places"});
}

TEST(ChatTemplate, the_day_is_what_it_is_told_to_be) {
  EXPECT_EQ(rendered("{{ strftime_now('%d %b %Y|%A %B %-d %j %H:%M') }}", kVariables, "2025-03-09"),
            "09 Mar 2025|Sunday March 9 068 00:00");
  EXPECT_EQ(rendered("{{ strftime_now('%Y') if strftime_now is defined else 'fixed' }}"), "fixed");
  refused("{{ strftime_now('%Y') }}", {"'strftime_now' is undefined", "task.date"});
  EXPECT_TRUE(is_template_date("2024-02-29"));
  for (const char* wrong :
       {"", "2023-02-29", "2024-2-9", "24-02-09", "2024-02-09 ", "2024/02/09", "+024-02-09", "2024-13-01"})
    EXPECT_FALSE(is_template_date(wrong)) << wrong;
}

}  // namespace
}  // namespace rlaif::templates
