// A deck of one's own to begin with: a folder with a commented deck and the files that it names.
//   for (const fs::path& file : write_new_study({"mine", "rules", "models/smollm2"})) std::cout << file << "\n";
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rlaif::tools {

// What a deck of inputs/new is for, and the files of inputs/ that lie beside it, under names of their own.
struct NewTask {
  const char* name;
  const char* about;
  bool has_model;  // it starts from a model's folder
  std::vector<std::pair<std::string, std::string>> files;
};
const std::vector<NewTask>& new_tasks();

struct NewStudy {
  std::filesystem::path folder;  // its last part names deck and study
  std::string task;
  std::string model;  // folder of the model that the policy starts from; empty: left to the user
};
// The deck first, then the other files. Throws Error(usage) for a task or name that is none, or files that are there already:
// nothing is written over.
std::vector<std::filesystem::path> write_new_study(const NewStudy& study);

}  // namespace rlaif::tools
