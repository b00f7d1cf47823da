// Checks of refusals: their kind, and what their message says.
//   expect_error([&] { read_config(file); }, ErrorKind::input, {"config.json", "hidden_size"});
//   EXPECT_EQ(input_refusal([&] { read_config(file); }), "config.json: ...");
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rlaif/core/error.hpp"

namespace rlaif {

// f throws an Error of this kind whose message holds each of the parts.
template <class F>
void expect_error(F f, ErrorKind kind, const std::vector<std::string>& parts) {
  try {
    f();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const auto& part : parts) EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
  }
}

// The message of the Error(input) that f throws; "accepted" where it throws nothing.
template <class F>
std::string input_refusal(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

}  // namespace rlaif
