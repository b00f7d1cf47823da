// Stages that several runs agree on, made once: <run.shared>/<stage>-<hash of all that decides it>/.
//
// An entry is a folder that is there whole or not at all: files/ with what the stage made, by the same paths as in a run
// directory, and shared.json with their checksums, the text that was hashed and the facts of the stage. Who comes first
// takes a lease (core/lease.hpp) beside it and makes the stage in its own run directory; others wait, then link or copy the files
// into theirs and verify them. A stage makes the same bytes whoever makes it; where two make it all the same, the first entry
// stays.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "rlaif/core/json.hpp"
#include "rlaif/run/here.hpp"
#include "rlaif/run/stage.hpp"

namespace rlaif::run {

class SharedStages {
 public:
  // Shares nothing where run.shared is empty. `deck` must outlive this.
  SharedStages(const Here& here, const ResolvedDeck& deck);

  // The stage's marker: by `make`, which runs it and marks it done, or from an entry, which marks it done too.
  // `inputs`: digests of the stages before it, for the marker. Collective. Throws Error(interrupted) where a stop is asked for
  // while another job makes the stage.
  Json run(const Stage& stage, const Json& inputs, const std::function<Json()>& make) const;

  // Of a stage that this run has made before: the entry, if there is none yet. Collective. What was computed with other
  // instruction sets than this start takes is not shared: it is another stage.
  void offer(const Stage& stage, const Json& marker) const;

 private:
  struct Entry;
  bool shares(const Stage& stage) const;
  Entry entry_of(const Stage& stage) const;
  std::optional<Json> take(const Entry& entry, const Json& inputs) const;
  void publish(const Entry& entry, const Json& marker) const;

  const Here& here_;
  const ResolvedDeck& deck_;
};

}  // namespace rlaif::run
