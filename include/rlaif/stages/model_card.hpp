// Model cards: models/<policy>/README.md, for whoever gets the folder alone: data, judge, method, figures, licence of the base.
//   write_model_cards(context, deck, markers);
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/core/resolved_deck.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// Of sft and every arm whose folder is there; figures where report/results.json has them. A card is no artefact: nothing reads it, and
// no checksum lists it. The same bytes for the same deck and results. Root rank only writes.
void write_model_cards(const Context& context, const ResolvedDeck& deck);

// The licence that a folder's own card names in its head ("license: apache-2.0"); empty where it has none or names none.
std::string licence_in_card(const std::string& card);

}  // namespace rlaif::stages
