// The members of a saved configuration that say in which units a reward model's head scores. Private to model.
//   json[offset_key] = model.offset;
#pragma once

namespace rlaif::model {

inline constexpr const char *offset_key = "rlaif_score_offset", *scale_key = "rlaif_score_scale";

}  // namespace rlaif::model
