// What model cards say.
#include "rlaif/stages/model_card.hpp"

#include <gtest/gtest.h>

namespace rlaif::stages {
namespace {

TEST(ModelCard, TheLicenceOfTheBaseStandsInTheHeadOfItsCard) {
  EXPECT_EQ(licence_in_card("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n"), "apache-2.0");
  EXPECT_EQ(licence_in_card("---\nlicense: \"mit\"\r\n---\n"), "mit");
  EXPECT_EQ(licence_in_card("# A model\nlicense: mit\n"), "") << "no head";
  EXPECT_EQ(licence_in_card("---\nlanguage: en\n---\nlicense: mit\n"), "") << "behind the head";
  EXPECT_EQ(licence_in_card("---\nlicense: [a | b](x)\n---\n"), "") << "no word";
  EXPECT_EQ(licence_in_card("---\nlicense:\n- mit\n---\n"), "");
  EXPECT_EQ(licence_in_card(""), "");
}

}  // namespace
}  // namespace rlaif::stages
