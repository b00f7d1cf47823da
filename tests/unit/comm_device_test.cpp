#include <gtest/gtest.h>

#include "rlaif/comm/device.hpp"

namespace rlaif::comm {
namespace {

TEST(DescribeDevices, SaysWhyThereAreNoneOrNamesThem) {
  const std::string text = describe_devices();
  if (text.starts_with("no GPU in use: ")) {
    EXPECT_GT(text.size(), 30U) << "a reason follows";
    EXPECT_EQ(text.find('\n'), std::string::npos) << "in one line";
  } else {
    EXPECT_NE(text.find("NCCL"), std::string::npos);
    EXPECT_NE(text.find("GPU 0: "), std::string::npos);
  }
}

}  // namespace
}  // namespace rlaif::comm
