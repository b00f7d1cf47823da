#include "rlaif/remote/paid_sums.hpp"

#include <fstream>
#include <system_error>

#include "answer_line.hpp"
#include "rlaif/core/progress.hpp"

namespace rlaif::remote {

namespace fs = std::filesystem;

PaidSums::PaidSums(fs::path folder) : folder_(std::move(folder)) {}

void PaidSums::read_segment(const fs::path& file, Judge& judge) const {
  std::uint64_t& read_to = judge.read_to[file];
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(read_to));
  for (std::string text; std::getline(stream, text) && !stream.eof();) {
    read_to += text.size() + 1;
    const auto line = read_answer_line(text);
    if (!line) {
      ++judge.paid.damaged_lines;
      continue;
    }
    if (line->kind == "sent") {
      auto& [times, usd] = judge.held[line->request];
      ++times;
      usd = line->usd;
      continue;
    }
    if (line->kind == "answer") {
      ++judge.paid.answers;
      judge.paid.paid_usd += line->usd;
    }
    const auto found = judge.held.find(line->request);
    if (found != judge.held.end() && --found->second.first == 0) judge.held.erase(found);
  }
}

std::map<std::string, Paid> PaidSums::read() {
  std::map<std::string, Paid> sums;
  std::error_code ignored;  // a folder that is not there has nothing
  for (const auto& folder : fs::directory_iterator(folder_, ignored)) {
    if (!folder.is_directory()) continue;
    const std::string name = folder.path().filename().string();
    Judge& judge = judges_[name];
    for (const auto& segment : fs::directory_iterator(folder.path(), ignored)) {
      const fs::path& file = segment.path();
      if (file.extension() == ".jsonl" && file.filename().string().starts_with("rank-")) read_segment(file, judge);
    }
    judge.paid.held_usd = 0.0;
    for (const auto& [request, entry] : judge.held)
      judge.paid.held_usd += static_cast<double>(entry.first) * entry.second;
    sums[name] = judge.paid;
  }
  return sums;
}

std::string paid_text(const std::map<std::string, Paid>& paid) {
  double sum = 0.0, held = 0.0;
  for (const auto& [judge, one] : paid) {
    sum += one.paid_usd;
    held += one.held_usd;
  }
  if (paid.empty()) return "";
  return format_usd(sum) + (held > 0.0 ? " (and " + format_usd(held) + " held)" : "");
}

}  // namespace rlaif::remote
