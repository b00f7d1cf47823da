#include "tokenizer_steps.hpp"

#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

// {"String": text} or {"Regex": pattern}
Regex read_pattern(const IndexedJsonReader& pattern) {
  const auto regex = pattern.given("Regex"), literal = pattern.given("String");
  if (!regex && !literal) throw pattern.unexpected("an object with the key 'Regex' or 'String'");
  const std::string& text = (regex ? *regex : *literal).text();
  try {
    return Regex(text, regex ? PatternKind::regex : PatternKind::literal);
  } catch (const Error& failure) {
    throw pattern.error(failure.what());
  }
}

ReplaceStep read_replace(const IndexedJsonReader& step) {
  return {read_pattern(step.at("pattern")), step.at("content").string()};
}

char32_t read_character(const IndexedJsonReader& field) {
  const std::string& text = field.string();
  const Utf8Step first = text.empty() ? Utf8Step{} : decode_utf8(text);
  if (!first.valid || first.length != text.size()) throw field.unexpected("one character");
  return first.code;
}

void read_normalizer_step(const IndexedJsonReader& step, std::vector<NormalizerStep>& out) {
  const std::string type = step.at("type").string();
  if (type == "Sequence") {
    for (const IndexedJsonReader& inner : step.at("normalizers").items()) read_normalizer_step(inner, out);
  } else if (type == "NFC") {
    out.emplace_back(UnicodeStep{UnicodeForm::nfc});
  } else if (type == "NFD") {
    out.emplace_back(UnicodeStep{UnicodeForm::nfd});
  } else if (type == "NFKC") {
    out.emplace_back(UnicodeStep{UnicodeForm::nfkc});
  } else if (type == "NFKD") {
    out.emplace_back(UnicodeStep{UnicodeForm::nfkd});
  } else if (type == "Lowercase") {
    out.emplace_back(LowercaseStep{});
  } else if (type == "StripAccents") {
    out.emplace_back(StripAccentsStep{});
  } else if (type == "Prepend") {
    out.emplace_back(PrependStep{step.at("prepend").string()});
  } else if (type == "Replace") {
    out.emplace_back(read_replace(step));
  } else {
    throw step.at("type").unexpected("NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend, Replace or Sequence");
  }
}

// Also in the form before `prepend_scheme` was there: {"add_prefix_space": true}.
PrependScheme read_prepend_scheme(const IndexedJsonReader& step) {
  const auto scheme = step.given("prepend_scheme");
  const auto old = step.given("add_prefix_space");
  const std::string name = scheme ? scheme->one_of({"always", "first", "never"}) : "always";
  if (old && !old->boolean() && name != "never") {
    throw old->unexpected("true, or prepend_scheme \"never\" beside it");
  }
  return name == "always" ? PrependScheme::always : name == "first" ? PrependScheme::first : PrependScheme::never;
}

std::string read_replacement(const IndexedJsonReader& step) {
  const IndexedJsonReader field = step.at("replacement");
  read_character(field);
  return field.string();
}

SplitStep read_split(const IndexedJsonReader& step) {
  if (step.at("behavior").string() != "Isolated") throw step.at("behavior").unexpected("\"Isolated\"");
  if (step.boolean_or("invert", false)) throw step.at("invert").unexpected("false");
  return {read_pattern(step.at("pattern"))};
}

void read_pre_tokenizer_step(const IndexedJsonReader& step, std::vector<PreTokenizerStep>& out) {
  const std::string type = step.at("type").string();
  if (type == "Sequence") {
    for (const IndexedJsonReader& inner : step.at("pretokenizers").items()) read_pre_tokenizer_step(inner, out);
    return;
  }
  if (!out.empty() && std::holds_alternative<ByteLevelStep>(out.back())) {
    throw step.at("type").unexpected("nothing after the step ByteLevel");
  }
  if (type == "Split") {
    out.emplace_back(read_split(step));
  } else if (type == "Digits") {
    out.emplace_back(DigitsStep{step.boolean_or("individual_digits", false)});
  } else if (type == "ByteLevel") {
    out.emplace_back(ByteLevelStep{step.boolean_or("add_prefix_space", true), step.boolean_or("use_regex", true)});
  } else if (type == "Metaspace") {
    // Where a piece started in the text decides about "first": known for certain only before anything was cut.
    if (!out.empty()) throw step.at("type").unexpected("Metaspace as the first step");
    out.emplace_back(MetaspaceStep{read_replacement(step), read_prepend_scheme(step), step.boolean_or("split", true)});
  } else {
    throw step.at("type").unexpected("ByteLevel, Digits, Metaspace, Split or Sequence");
  }
}

// One side of "single": special tokens before or after the text.
void append_special(const IndexedJsonReader& processor, const IndexedJsonReader& piece, std::vector<TokenId>& out) {
  const IndexedJsonReader name = piece.at("id");
  const IndexedJsonReader token = processor.at("special_tokens").at(name.string());
  for (const IndexedJsonReader& id : token.at("ids").items()) {
    if (id.integer() < 0) throw id.unexpected("a token's id");
    out.push_back(static_cast<TokenId>(id.integer()));
  }
}

Frame read_template(const IndexedJsonReader& processor) {
  Frame frame;
  bool text_seen = false;
  for (const IndexedJsonReader& piece : processor.at("single").items()) {
    if (const auto special = piece.given("SpecialToken")) {
      append_special(processor, *special, text_seen ? frame.after : frame.before);
    } else if (text_seen || piece.at("Sequence").at("id").string() != "A") {
      throw piece.error("expected one Sequence, of id A, among special tokens");
    } else {
      text_seen = true;
    }
  }
  if (!text_seen) throw processor.at("single").error("holds no Sequence; expected one, of id A");
  return frame;
}

void read_processor(const IndexedJsonReader& processor, Frame& frame) {
  const IndexedJsonReader type = processor.at("type");
  if (type.string() == "Sequence") {
    for (const IndexedJsonReader& inner : processor.at("processors").items()) read_processor(inner, frame);
  } else if (type.string() == "TemplateProcessing") {
    const Frame outer = read_template(processor);
    frame.before.insert(frame.before.begin(), outer.before.begin(), outer.before.end());
    frame.after.insert(frame.after.end(), outer.after.begin(), outer.after.end());
  } else if (type.string() != "ByteLevel") {  // which only trims offsets
    throw type.unexpected("ByteLevel, TemplateProcessing or Sequence");
  }
}

std::size_t read_count(const IndexedJsonReader& step, const char* key) {
  const IndexedJsonReader field = step.at(key);
  if (field.integer() < 0) throw field.unexpected("a number of characters");
  return static_cast<std::size_t>(field.integer());
}

void read_decoder_step(const IndexedJsonReader& step, std::vector<DecoderStep>& out) {
  const std::string type = step.at("type").string();
  if (type == "Sequence") {
    for (const IndexedJsonReader& inner : step.at("decoders").items()) read_decoder_step(inner, out);
  } else if (type == "Replace") {
    out.emplace_back(read_replace(step));
  } else if (type == "ByteFallback") {
    out.emplace_back(ByteFallbackStep{});
  } else if (type == "Fuse") {
    out.emplace_back(FuseStep{});
  } else if (type == "Strip") {
    out.emplace_back(
        StripStep{read_character(step.at("content")), read_count(step, "start"), read_count(step, "stop")});
  } else if (type == "Metaspace") {
    out.emplace_back(MetaspaceDecodeStep{read_replacement(step), read_prepend_scheme(step) != PrependScheme::never});
  } else {
    throw step.at("type").unexpected("ByteLevel alone, ByteFallback, Fuse, Metaspace, Replace, Strip or Sequence");
  }
}

bool is_byte_level(const IndexedJsonReader& decoder) {
  const std::string type = decoder.at("type").string();
  if (type != "Sequence") return type == "ByteLevel";
  const auto inner = decoder.at("decoders").items();
  return inner.size() == 1 && is_byte_level(inner.front());
}

}  // namespace

std::vector<NormalizerStep> read_normalizer(const IndexedJsonReader& document) {
  std::vector<NormalizerStep> steps;
  if (const auto normalizer = document.given("normalizer")) read_normalizer_step(*normalizer, steps);
  return steps;
}

std::vector<PreTokenizerStep> read_pre_tokenizer(const IndexedJsonReader& document) {
  std::vector<PreTokenizerStep> steps;
  const IndexedJsonReader pre_tokenizer = document.at("pre_tokenizer");
  if (!pre_tokenizer.json().is_null()) read_pre_tokenizer_step(pre_tokenizer, steps);
  return steps;
}

Frame read_post_processor(const IndexedJsonReader& document) {
  Frame frame;
  if (const auto processor = document.given("post_processor")) read_processor(*processor, frame);
  return frame;
}

std::optional<std::vector<DecoderStep>> read_decoder(const IndexedJsonReader& document) {
  const IndexedJsonReader decoder = document.at("decoder");
  if (decoder.json().is_null()) throw decoder.unexpected("a decoder, such as ByteLevel or Metaspace");
  if (is_byte_level(decoder)) return std::nullopt;
  std::vector<DecoderStep> steps;
  read_decoder_step(decoder, steps);
  return steps;
}

}  // namespace rlaif::text
