// Rows of cells as aligned columns of text. A header is a row like the others.
//   text_table({{"judge", "USD"}, {"ai", "0.42"}, {"people", "67.00"}}, {Align::left, Align::right});
//     judge     USD
//     ai       0.42
//     people  67.00
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rlaif {

enum class Align { left, right };

using TextRows = std::vector<std::vector<std::string>>;

// Columns are as wide as their widest cell, in characters of UTF-8, with two spaces between them. The last alignment
// also holds for the columns behind it. A row may have fewer cells than others; its last one is not filled up.
std::string text_table(const TextRows& rows, const std::vector<Align>& alignments, std::size_t indent = 0);

}  // namespace rlaif
