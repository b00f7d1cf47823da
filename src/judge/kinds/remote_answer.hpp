// What a server's answer says, thoughts and cut ends apart, before anybody looks for a verdict in it. Private to judge.
//   const SaidAnswer said = said_in(answer, *protocol, at_once);
//   if (said.status == VerdictStatus::ok) read_verdict(said.text, labels);
#pragma once

#include <span>
#include <string_view>

#include "rlaif/core/types.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::judge {

struct SaidAnswer {
  VerdictStatus status = VerdictStatus::missing;
  std::string_view text;                          // behind the last thought
  std::span<const remote::TokenPosition> tokens;  // of the text, where log-probabilities were asked for and came
};
// `at_once`: the first token is the verdict, whose log-probabilities are whole, whatever was cut off behind it. The answer must
// outlive what is returned.
SaidAnswer said_in(const remote::Answer& answer, const remote::Protocol& protocol, bool at_once);

// What the samples of one question come to: their mean where more than half of those wanted are ok, else the status of the first
// that is not; missing where all that came are ok and too few.
class SampleMean {
 public:
  void add(VerdictStatus status, double value) {
    if (status == VerdictStatus::ok) {
      ++ok_;
      sum_ += value;
    } else if (failure_ == VerdictStatus::ok) {
      failure_ = status;
    }
  }
  VerdictStatus status(int wanted) const {
    if (2 * ok_ > wanted) return VerdictStatus::ok;
    return failure_ == VerdictStatus::ok ? VerdictStatus::missing : failure_;
  }
  double value() const { return sum_ / ok_; }  // where the status is ok

 private:
  int ok_ = 0;
  double sum_ = 0.0;
  VerdictStatus failure_ = VerdictStatus::ok;  // ok: none yet
};

}  // namespace rlaif::judge
