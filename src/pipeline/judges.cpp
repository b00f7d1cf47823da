#include "rlaif/pipeline/judges.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/cost/prices.hpp"

namespace rlaif::pipeline {

BoundJudge make_judge(const Context& context, const JudgeOptions& options, const Language& language) {
  BoundJudge bound;
  if (options.kind == JudgeKind::local) {
    bound.network = std::make_unique<model::Transformer>(load_run_model(context, options.model, language));
  }
  context.comm.agree([&] {
    const cost::Price price = cost::PriceTable::load(context.options.prices).at(options.price);
    switch (options.kind) {
      case JudgeKind::local: {
        judge::LocalJudgeOptions local = options.local;
        local.seed = context.options.run.seed;
        bound.judge = judge::make_local_judge(options.name, *bound.network, language.chat,
                                              judge::JudgeTemplate::load(options.prompt_template),
                                              judge::load_principles(options.principles), local, price);
        break;
      }
      case JudgeKind::annotators: {
        judge::AnnotatorOptions annotators = options.annotators;
        annotators.seed = context.options.run.seed;
        bound.judge = judge::make_annotators(
            options.name, annotators,
            [&task = context.task](const Prompt& prompt, const Completion& completion) {
              return task.utility(prompt, completion);
            },
            price);
        break;
      }
    }
  });
  return bound;
}

}  // namespace rlaif::pipeline
