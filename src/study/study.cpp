#include "rlaif/study/study.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::study {

Context Study::context(const Here& here) const {
  RLAIF_CHECK(task_ != nullptr, "a study must be loaded before a stage of it runs");
  return {here, *this, *task_};
}

}  // namespace rlaif::study
