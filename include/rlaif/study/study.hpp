// A study: what a deck says, and the task that it names, once it is loaded.
//   Study study(options);  study.load();  study.context(here).task.draw(...);
#pragma once

#include <memory>

#include "rlaif/study/context.hpp"
#include "rlaif/study/options.hpp"
#include "rlaif/study/task.hpp"

namespace rlaif::study {

// `options` must outlive it. A plan needs no task; what runs does.
class Study {
 public:
  explicit Study(const StudyOptions& deck) : options(deck) {}

  const StudyOptions& options;

  void load() { task_ = std::make_unique<Task>(options.task); }  // throws Error(input) naming file, line and key
  Context context(const Here& here) const;                       // of a loaded study

 private:
  std::unique_ptr<Task> task_;
};

}  // namespace rlaif::study
