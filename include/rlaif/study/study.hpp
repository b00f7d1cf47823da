// A study: what there is to train, by whom it is judged and from what it learns. Stages and commands own what else they
// can be told (stages/stages.hpp, tools/).
//   Study study;  bind_task(table, study.task);  ...  study.load();  study.context(here).task.draw(...);
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/run/here.hpp"
#include "rlaif/run/options.hpp"
#include "rlaif/study/arms.hpp"
#include "rlaif/study/judge_options.hpp"
#include "rlaif/study/network.hpp"
#include "rlaif/study/policy.hpp"
#include "rlaif/study/task.hpp"
#include "rlaif/study/writer_options.hpp"

namespace rlaif::study {

struct Context;

class Study {
 public:
  std::string name = "default";  // of the deck
  RunOptions run;
  TaskOptions task;
  PolicyOptions policy;
  Judges judges;
  AnnotateOptions annotate;
  LabelUse labels;
  RewardModelOptions reward;
  LoraOptions lora;
  std::vector<ArmOptions> arms;
  std::vector<DataOptions> data;
  std::vector<WriterOptions> writers;
  std::string pairs;  // of `data`: recorded pairs that every judge labels; empty: sft's responses, by [annotate]

  // A plan needs no task; what runs does. `prompts` are those of the splits that no file of the task's holds.
  void load(std::map<Split, std::vector<Prompt>> prompts = {}) {
    task_ = std::make_unique<Task>(task, std::move(prompts));
  }  // throws Error(input) naming file, line and key
  const Task& loaded_task() const { return *task_; }  // of a loaded study
  Context context(const Here& here) const;            // of a loaded study

 private:
  std::unique_ptr<Task> task_;
};

}  // namespace rlaif::study
