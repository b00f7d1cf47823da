#include "answer_line.hpp"

#include <charconv>

#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"

namespace rlaif::remote {
namespace {

constexpr std::string_view checksum_key = "{\"checksum\":\"", request_key = "\"request\":\"",
                           kind_key = "\",\"kind\":\"";
constexpr std::string_view usd_key = "\",\"usd\":", body_key = ",\"body\":";
constexpr double dearest_usd = 1e5;  // no request costs more: sums of a file's amounts stay within their type
constexpr std::size_t checked_from = checksum_key.size() + 16 + 2;  // where "request" begins
constexpr std::size_t hash_from = checked_from + request_key.size(), kind_from = hash_from + 32 + kind_key.size();

std::optional<std::uint64_t> from_hex(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<AnswerLine> read_answer_line(std::string_view line) {
  if (line.size() < kind_from || !line.starts_with(checksum_key)) return std::nullopt;
  const auto sum = from_hex(line.substr(checksum_key.size(), 16));
  if (!sum || *sum != checksum(line.substr(checked_from))) return std::nullopt;
  const auto high = from_hex(line.substr(hash_from, 16)), low = from_hex(line.substr(hash_from + 16, 16));
  const std::size_t kind_end = line.find(usd_key, kind_from);
  if (!high || !low || kind_end == std::string_view::npos) return std::nullopt;
  AnswerLine result{{*high, *low}, line.substr(kind_from, kind_end - kind_from), 0.0};
  const char* number = line.data() + kind_end + usd_key.size();
  const auto [number_end, error] = std::from_chars(number, line.data() + line.size(), result.usd);
  if (error != std::errc() || !(result.usd >= 0.0 && result.usd <= dearest_usd)) return std::nullopt;
  const std::string_view rest = line.substr(static_cast<std::size_t>(number_end - line.data()));
  const bool has_body = rest.size() > body_key.size() + 2 && rest.starts_with(body_key) && rest.ends_with("\"}");
  if (result.kind == "answer" ? !has_body : rest != "}") return std::nullopt;
  return result;
}

std::string write_answer_line(const RequestHash& request, std::string_view kind, double usd,
                              const std::string_view* body) {
  std::string rest(request_key);
  rest += to_string(request);
  rest.append(kind_key).append(kind).append(usd_key);
  char digits[32];
  rest.append(digits, std::to_chars(digits, digits + sizeof digits, usd).ptr);
  if (body != nullptr) rest.append(body_key) += Json(*body).dump(-1, ' ', false, Json::error_handler_t::replace);
  rest += '}';
  return std::string(checksum_key) + hex(checksum(rest)) + "\"," + rest + "\n";
}

}  // namespace rlaif::remote
