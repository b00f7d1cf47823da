// Answers that were paid for, kept under the hash of their request. A folder of segments, JSON Lines that only grow: each
// process writes one of its own, all are read.
//
//   {"checksum":"<16 hex>","request":"<32 hex>","kind":"sent","usd":0.00123}                    money held, before sending
//   {"checksum":"<16 hex>","request":"<32 hex>","kind":"answer","usd":0.0004,"body":"..."}      the reply as it came
//   {"checksum":"<16 hex>","request":"<32 hex>","kind":"failed","usd":0}                        no answer, nothing is billed
// The checksum is of the line from "request" to its last brace.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rlaif::remote {

// 128 bits over everything that decides an answer: protocol, address, body, which sample.
struct RequestHash {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const RequestHash&) const = default;
};
RequestHash request_hash(std::string_view request);
std::string to_string(const RequestHash& hash);  // 32 hex digits

class AnswerCache {
 public:
  // Reads every segment of the folder (made where it is missing). A last line without its end was torn by a kill: it is
  // cut off where no living process writes the segment, with a warning. A whole line that is damaged is Error(input) naming
  // file and line. The own segment, rank-<rank>-<first free number>.jsonl, is made with the first line written.
  AnswerCache(std::filesystem::path folder, int rank);
  ~AnswerCache();
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  bool contains(const RequestHash& request) const;
  // The reply's body. Of several answers to one request the first by segment name and line counts that `is_answer` agrees to
  // (absent: any).
  using IsAnswer = std::function<bool(const std::string& body)>;
  std::optional<std::string> find(const RequestHash& request, const IsAnswer& is_answer = {}) const;

  // Throw Error(resource) when the line cannot be written. A line survives a kill from then on, an outage of the machine
  // after sync().
  void note_sent(const RequestHash& request, double worst_usd);
  void note_failed(const RequestHash& request);
  void store(const RequestHash& request, std::string_view body, double cost_usd);
  void sync();
  // Begins a sync that the caller does not wait for, at most one a second; what it finds is thrown by the next call of either.
  void sync_beside();

  std::size_t size() const;      // answers
  std::size_t segments() const;  // files, the own one included
  // What all processes together have paid, and what they held for requests of which nothing was heard again (a kill, a
  // timeout): both count against a cap that spans several runs.
  double paid_usd() const;
  double unsettled_usd() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rlaif::remote
