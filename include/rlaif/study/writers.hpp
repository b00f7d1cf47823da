// Writers made from the deck, with the models that they need.
//   BoundWriter bound = make_writer(context, options, *language, spending, data.policy);
//   bound.writer->write(requests);
#pragma once

#include <memory>
#include <span>
#include <string>

#include "rlaif/study/context.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/writer_options.hpp"

namespace rlaif::study {

// A writer and what must outlive it.
struct BoundWriter {
  std::shared_ptr<const model::Transformer> network;  // of a local one that is not the policy
  std::unique_ptr<write::Writer> writer;
};
// Collective. `policy` is the model whose responses are at hand, `network` its weights, which a writer of kind policy is. Throws Error(usage) or Error(input) for a price, model or tokenizer
// that does not fit.
BoundWriter make_writer(const Context& context, const WriterOptions& options, const Language& language,
                        const StageSpending& spending, const std::string& policy, const model::Transformer& network);

// Each by itself, and that none has the name of a judge: both are counted by their names. Throws Error(usage) naming the key.
void check_writers(const Study& study);

// The model of the run, or folder, that a local writer is.
std::string writer_model(const WriterOptions& options, const std::string& policy);

// A remote writer's options and parts by the deck, for all ranks together; answers and meter are the caller's to add. Throws
// Error(usage) naming writer and model for a price that the table lacks.
write::RemoteOptions remote_options(const Study& study, const WriterOptions& writer);
write::RemoteParts remote_parts(const Judges& judges, const WriterOptions& writer);
remote::Estimate estimate_texts(const Study& study, const WriterOptions& writer,
                                std::span<const write::Request> requests, std::int64_t answer_tokens);

}  // namespace rlaif::study
