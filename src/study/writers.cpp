#include "rlaif/study/writers.hpp"

#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/server_keys.hpp"

namespace rlaif::study {
namespace {

write::RemoteOptions vendor_of(const WriterOptions& writer) {
  return writer.kind == WriterKind::openai ? write::openai_options() : write::anthropic_options();
}

std::unique_ptr<write::Writer> make_remote(const Context& context, const WriterOptions& o,
                                           const StageSpending& spending) {
  write::RemoteOptions options = remote_options(context.study, o);
  share_limits(options.http, context);
  write::RemoteParts parts = remote_parts(context.study.judges, o);
  parts.answers = spending.answers_of_writer(o.name);
  parts.meter = spending.meter();
  return o.kind == WriterKind::openai ? write::make_openai_writer(o.name, std::move(options), std::move(parts))
                                      : write::make_anthropic_writer(o.name, std::move(options), std::move(parts));
}

}  // namespace

void check_writers(const Study& study) {
  for (const WriterOptions& writer : study.writers) {
    check_writer(writer);
    for (const JudgeOptions* judge : judges_and_members(study.judges)) {
      if (judge->name == writer.name)
        throw usage_error(writer.section() + ": a judge has this name too; one that nothing else has was expected");
    }
  }
}

std::string writer_model(const WriterOptions& options, const std::string& policy) {
  return options.model == "policy" ? policy : options.model;
}

BoundWriter make_writer(const Context& context, const WriterOptions& options, const Language& language,
                        const StageSpending& spending, const std::string& policy, const model::Transformer& network) {
  BoundWriter bound;
  const std::string model = writer_model(options, policy);
  if (!options.is_remote() && model != policy)
    bound.network = std::make_shared<const model::Transformer>(load_run_model(context, model, language));
  context.comm.agree([&] {
    if (options.is_remote()) {
      bound.writer = make_remote(context, options, spending);
      return;
    }
    write::LocalOptions local = options.local;
    local.seed = hash_words({context.study.run.seed, checksum(options.section())});
    bound.writer =
        write::make_local_writer(options.name, bound.network ? *bound.network : network, language.chat, local);
  });
  return bound;
}

write::RemoteOptions remote_options(const Study& study, const WriterOptions& o) {
  write::RemoteOptions options = o.remote;
  complete_server(options, vendor_of(o), o.model);
  options.seed = study.run.seed;
  return options;
}

write::RemoteParts remote_parts(const Judges& judges, const WriterOptions& o) {
  write::RemoteParts parts;
  parts.price = server_price(judges, {"writer", o.name, o.model, o.price});
  parts.count_tokens = token_count(o.tokenizer);
  return parts;
}

remote::Estimate estimate_texts(const Study& study, const WriterOptions& writer,
                                std::span<const write::Request> requests, std::int64_t answer_tokens) {
  const write::RemoteOptions options = remote_options(study, writer);
  const write::RemoteParts parts = remote_parts(study.judges, writer);
  return writer.kind == WriterKind::openai ? write::estimate_openai(options, parts, requests, answer_tokens)
                                           : write::estimate_anthropic(options, parts, requests, answer_tokens);
}

}  // namespace rlaif::study
