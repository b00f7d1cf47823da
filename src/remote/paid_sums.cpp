#include "rlaif/remote/paid_sums.hpp"

#include <fstream>
#include <system_error>

#include "answer_line.hpp"
#include "rlaif/core/progress.hpp"

namespace rlaif::remote {

namespace fs = std::filesystem;

PaidSums::PaidSums(std::map<std::string, fs::path> folders) : folders_(std::move(folders)) {}

void PaidSums::read_segment(const fs::path& file, Reading& reading) const {
  std::uint64_t& read_to = reading.read_to[file];
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(read_to));
  for (std::string text; std::getline(stream, text) && !stream.eof();) {
    read_to += text.size() + 1;
    const auto line = read_answer_line(text);
    if (!line) {
      ++reading.paid.damaged_lines;
      continue;
    }
    if (line->kind == "sent") {
      auto& [times, usd] = reading.held[line->request];
      ++times;
      usd = line->usd;
      continue;
    }
    if (line->kind == "answer") {
      ++reading.paid.answers;
      reading.paid.paid_usd += line->usd;
    }
    const auto found = reading.held.find(line->request);
    if (found != reading.held.end() && --found->second.first == 0) reading.held.erase(found);
  }
}

std::map<cost::Asker, Paid> PaidSums::read() {
  std::map<cost::Asker, Paid> sums;
  std::error_code ignored;  // a folder that is not there has nothing
  for (const auto& [role, parent] : folders_) {
    for (const auto& folder : fs::directory_iterator(parent, ignored)) {
      if (!folder.is_directory()) continue;
      const cost::Asker asker{role, folder.path().filename().string()};
      Reading& reading = readings_[asker];
      for (const auto& segment : fs::directory_iterator(folder.path(), ignored)) {
        const fs::path& file = segment.path();
        if (file.extension() == ".jsonl" && file.filename().string().starts_with("rank-")) read_segment(file, reading);
      }
      reading.paid.held_usd = 0.0;
      for (const auto& [request, entry] : reading.held)
        reading.paid.held_usd += static_cast<double>(entry.first) * entry.second;
      sums[asker] = reading.paid;
    }
  }
  return sums;
}

std::string paid_text(const std::map<cost::Asker, Paid>& paid) {
  double sum = 0.0, held = 0.0;
  for (const auto& [asker, one] : paid) {
    sum += one.paid_usd;
    held += one.held_usd;
  }
  if (paid.empty()) return "";
  return format_usd(sum) + (held > 0.0 ? " (and " + format_usd(held) + " held)" : "");
}

}  // namespace rlaif::remote
