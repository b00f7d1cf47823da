#include "rlaif/cli/chat_tool.hpp"

#include <unistd.h>

#include <iostream>

#include "rlaif/cli/file_tools.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/tools/chat.hpp"

namespace rlaif::cli {
namespace {

// A run directory is no model, but has some.
void expect_model(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "run.json")) return;
  std::string names;
  for (const auto& item : std::filesystem::directory_iterator(folder / "models")) {
    const std::string name = item.path().filename().string();
    if (item.is_directory() && !name.starts_with("reward-")) names += (names.empty() ? "" : ", ") + name;
  }
  throw usage_error("rlaif chat: " + folder.string() +
                    " is a run directory; one of its models/ was expected: " + names);
}

}  // namespace

void run_chat_command(const CommandLine& line) {
  tools::ChatOptions options;
  options.models.emplace_back(word(line, 0, "the folder of a model"));
  if (line.words.size() > 1) options.models.emplace_back(line.words[1]);
  no_more_words(line, 2);
  for (const std::filesystem::path& model : options.models) expect_model(model);
  options.system = line.flag_or("system", "");
  options.votes = line.flag_or("votes", "");
  if (!options.votes.empty() && options.models.size() < 2)
    throw usage_error("--votes: votes are between two models; a second folder was expected");
  if (!options.votes.empty() && std::filesystem::is_directory(options.votes))
    throw usage_error("--votes: " + options.votes.string() + " is a folder; a file of JSON Lines was expected");
  options.temperature = line.number_or("temperature", options.temperature, 0);
  options.max_new_tokens = static_cast<int>(whole_number(line, "tokens", options.max_new_tokens, 1, 1e6));
  options.seed = static_cast<std::uint64_t>(whole_number(line, "seed", 0, 0));
  tools::chat(options, std::cin, std::cout, isatty(STDIN_FILENO) == 1);
}

}  // namespace rlaif::cli
