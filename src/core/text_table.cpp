#include "rlaif/core/text_table.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif {
namespace {

constexpr std::size_t gap = 2;

std::vector<std::size_t> widths_of(const TextRows& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], count_characters(row[c]));
  }
  return widths;
}

}  // namespace

std::string text_table(const TextRows& rows, const std::vector<Align>& alignments, std::size_t indent) {
  RLAIF_CHECK(!alignments.empty(), "a table has an alignment");
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string text;
  for (const auto& row : rows) {
    text.append(indent, ' ');
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::size_t space = widths[c] - count_characters(row[c]);
      const bool is_left = alignments[std::min(c, alignments.size() - 1)] == Align::left;
      const bool is_last = c + 1 == row.size();
      if (!is_left) text.append(space, ' ');
      text += row[c];
      if (!is_last) text.append(gap + (is_left ? space : 0), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace rlaif
