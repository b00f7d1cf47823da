#include "reply_values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

namespace rlaif::remote {
namespace {

struct Word {
  std::string_view word;
  VerdictStatus status;
  bool is_cut = false;
};

// OpenAI and most others; Anthropic; Mistral (model_length); Gemini, whose words come as they are through its compatible
// interface; Bedrock; Cohere (error_toxic, error_limit); Zhipu (sensitive, network_error); DeepSeek (insufficient_system_resource);
// vLLM and SGLang (abort); OpenRouter (error).
constexpr std::array words = std::to_array<Word>({{"length", VerdictStatus::truncated, true},
                                                  {"max_tokens", VerdictStatus::truncated, true},
                                                  {"max_output_tokens", VerdictStatus::truncated, true},
                                                  {"model_length", VerdictStatus::truncated, true},
                                                  {"model_context_window_exceeded", VerdictStatus::truncated},
                                                  {"context_length_exceeded", VerdictStatus::truncated},
                                                  {"error_limit", VerdictStatus::truncated},
                                                  {"refusal", VerdictStatus::refused},
                                                  {"content_filter", VerdictStatus::filtered},
                                                  {"content_filtered", VerdictStatus::filtered},
                                                  {"safety", VerdictStatus::filtered},
                                                  {"prohibited_content", VerdictStatus::filtered},
                                                  {"blocklist", VerdictStatus::filtered},
                                                  {"recitation", VerdictStatus::filtered},
                                                  {"spii", VerdictStatus::filtered},
                                                  {"guardrail_intervened", VerdictStatus::filtered},
                                                  {"error_toxic", VerdictStatus::filtered},
                                                  {"sensitive", VerdictStatus::filtered},
                                                  {"error", VerdictStatus::missing},
                                                  {"abort", VerdictStatus::missing},
                                                  {"aborted", VerdictStatus::missing},
                                                  {"cancelled", VerdictStatus::missing},
                                                  {"network_error", VerdictStatus::missing},
                                                  {"insufficient_system_resource", VerdictStatus::missing}});

}  // namespace

std::int64_t count_at(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return 0;
  // No answer has more tokens; sums of counts that a server makes up must not overflow.
  constexpr std::int64_t most = std::int64_t{1} << 31;
  if (found->is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(found->get<std::uint64_t>(), most));
  return std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, most);
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Ending ending_of(const std::string& finish_reason) {
  std::string small = finish_reason;
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // "content_filter: SAFETY"
  small = small.substr(0, small.find_first_of(": "));
  const auto found = std::find_if(words.begin(), words.end(), [&](const Word& one) { return one.word == small; });
  return found == words.end() ? Ending{} : Ending{found->status, found->is_cut};
}

}  // namespace rlaif::remote
