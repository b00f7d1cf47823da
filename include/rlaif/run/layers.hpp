// The layers over the modules: run, study, stages, tools. A layer sees the names of the layers below it without their prefix, as
// every word of a study is spoken in terms of what stands below.
//   namespace rlaif::stages { Json run(const Context& context); }   // study::Context
#pragma once

namespace rlaif::run {}
namespace rlaif::study {
using namespace run;
}
namespace rlaif::stages {
using namespace study;
}
namespace rlaif::tools {
using namespace stages;
}
