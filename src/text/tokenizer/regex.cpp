#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.hpp"

#include <pcre2.h>

#include "rlaif/core/error.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

// Unicode's White_Space. PCRE2's own \s also takes U+180E, which has not been white space since Unicode 6.3.
constexpr std::string_view kSpaceSet = R"(\t-\r\x{85}\p{Z})";

[[noreturn]] void refuse(std::string_view pattern, const std::string& construct) {
  throw input_error("pattern '" + std::string(pattern) + "' uses " + construct +
                    ", which is not covered; expected plain groups, classes, quantifiers, look-around and the escapes "
                    "\\s \\S \\d \\D \\p \\P \\n \\r \\t \\f \\x");
}

// Walks an Oniguruma pattern and writes it for PCRE2.
class Translation {
 public:
  explicit Translation(std::string_view pattern) : pattern_(pattern) {
    while (at_ < pattern_.size()) step();
  }
  std::string take() { return std::move(out_); }

 private:
  void step() {
    const char c = pattern_[at_];
    if (c == '\\') return escape();
    if (in_class_) {
      if (c == '[' && at_ > class_start_) refuse(pattern_, "a class inside a class");
      if (pattern_.substr(at_, 2) == "&&") refuse(pattern_, "class intersection (&&)");
      if (c == ']' && at_ > class_start_) in_class_ = false;
    } else if (c == '[') {
      in_class_ = true;
      class_start_ = at_ + (pattern_.substr(at_ + 1, 1) == "^" ? 2 : 1);
    }
    out_.push_back(c);
    ++at_;
  }

  void escape() {
    if (at_ + 1 >= pattern_.size()) refuse(pattern_, "a backslash at its end");
    const char letter = pattern_[at_ + 1];
    const bool alphanumeric =
        (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    at_ += 2;
    if (letter == 's') {
      out_ += in_class_ ? std::string(kSpaceSet) : "[" + std::string(kSpaceSet) + "]";
    } else if (letter == 'S' && !in_class_) {
      out_ += "[^" + std::string(kSpaceSet) + "]";
    } else if (alphanumeric && std::string_view("dDpPnrtfx").find(letter) == std::string_view::npos) {
      refuse(pattern_, std::string("the escape \\") + letter + (in_class_ ? " in a class" : ""));
    } else {
      out_ += {'\\', letter};
    }
  }

  std::string_view pattern_;
  std::size_t at_ = 0, class_start_ = 0;
  bool in_class_ = false;
  std::string out_;
};

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256];
  return pcre2_get_error_message(code, buffer, sizeof buffer) < 0 ? "PCRE2 error " + std::to_string(code)
                                                                  : reinterpret_cast<const char*>(buffer);
}

struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
using MatchData = std::unique_ptr<pcre2_match_data, MatchDataDeleter>;

MatchData make_match_data() {
  MatchData data(pcre2_match_data_create(1, nullptr));  // only the whole match is asked for
  RLAIF_CHECK(data != nullptr, "pcre2_match_data_create failed");
  return data;
}

}  // namespace

struct Regex::Code {
  pcre2_code* code;

  bool match(std::string_view subject, std::size_t start, std::uint32_t options, pcre2_match_data* data) const {
    const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.data());
    const std::uint32_t flags = options | PCRE2_NO_UTF_CHECK;
    int result = pcre2_match(code, text, subject.size(), start, flags, data, nullptr);
    // The compiled matcher has a stack of fixed size; the interpreter takes its memory from the heap.
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = pcre2_match(code, text, subject.size(), start, flags | PCRE2_NO_JIT, data, nullptr);
    }
    if (result == PCRE2_ERROR_NOMATCH) return false;
    // 0: the pattern has groups for which the match data has no room.
    if (result < 0) throw input_error("a pre-tokenizer pattern failed on a text: " + message_of(result));
    return true;
  }
};

Regex::Regex(std::string_view pattern, PatternKind kind) {
  const bool literal = kind == PatternKind::literal;
  const std::string source = literal ? std::string(pattern) : Translation(pattern).take();
  const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  RLAIF_CHECK(context != nullptr, "pcre2_compile_context_create failed");
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  // Oniguruma's ^ and $ always work by line.
  const std::uint32_t options = PCRE2_UTF | (literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_MULTILINE);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(), options, &error, &offset,
                                   context.get());
  if (code == nullptr) {
    throw input_error("pattern '" + std::string(pattern) + "' is no valid regular expression: " + message_of(error));
  }
  code_ = std::shared_ptr<const Code>(new Code{code}, [](const Code* owned) {
    pcre2_code_free(owned->code);
    delete owned;
  });
  // Without the just-in-time compiler (not on every platform) the same pattern is interpreted.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
}

void Regex::for_each_match(std::string_view subject, const Range& f) const {
  const MatchData data = make_match_data();
  std::size_t start = 0;
  while (start <= subject.size() && code_->match(subject, start, 0, data.get())) {
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
    const std::size_t begin = range[0], end = range[1];
    f(begin, end);
    start = end;
    if (begin == end) start += end < subject.size() ? decode_utf8(subject.substr(end)).length : 1;
  }
}

bool Regex::matches_at_start(std::string_view subject) const {
  const MatchData data = make_match_data();
  return code_->match(subject, 0, PCRE2_ANCHORED, data.get());
}

}  // namespace rlaif::text
