// A judge behind HTTP that scores one response (kinds/remote.hpp). Private to judge.
#pragma once

#include <memory>
#include <string>

#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::judge {

// Throws as the judges of kinds/remote.hpp.
std::shared_ptr<ResponseScorer> make_remote_scorer(const std::string& name, RemoteOptions options, RemoteParts parts,
                                                   std::unique_ptr<remote::Protocol> protocol);

}  // namespace rlaif::judge
