#include "rlaif/model/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Safetensors : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rlaif_safetensors_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file() const { return folder_ / "x.safetensors"; }
  void put(const std::string& bytes) const { write_file_atomic(file(), bytes); }
  static std::string length_prefix(std::uint64_t length) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 255);
    return bytes;
  }
  static std::string with_header(const std::string& header, std::size_t data_bytes) {
    return length_prefix(header.size()) + header + std::string(data_bytes, '\1');
  }
  // The message of the error that reading gives; one line that names the file.
  std::string refusal() const {
    try {
      read_safetensors(file());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("x.safetensors"), Not(HasSubstr("\n"))));
      return error.what();
    }
    return "accepted";
  }
  std::string refusal_of(const std::string& header, std::size_t data_bytes) const {
    put(with_header(header, data_bytes));
    return refusal();
  }

  fs::path folder_;
};

TEST_F(Safetensors, KeepEveryDtypeShapeAndValue) {
  std::vector<NamedTensor> tensors;
  for (const auto type : {torch::kDouble, torch::kFloat, torch::kHalf, torch::kBFloat16, torch::kLong, torch::kInt,
                          torch::kShort, torch::kChar, torch::kByte, torch::kBool})
    tensors.emplace_back(c10::toString(type), (torch::arange(6).view({2, 3}) * 7 - 1).abs().to(type));
  tensors.emplace_back("scalar", torch::tensor(2.5F));
  tensors.emplace_back("empty", torch::empty({0, 5}));
  tensors.emplace_back("transposed", torch::arange(6.0F).view({2, 3}).t());
  write_safetensors(file(), tensors, {{"format", "pt"}, {"note", "\"x\"\n"}});
  const SafetensorsFile read = read_safetensors(file());
  ASSERT_EQ(read.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const auto found =
        std::find_if(read.tensors.begin(), read.tensors.end(), [&](const auto& t) { return t.first == name; });
    ASSERT_NE(found, read.tensors.end()) << name;
    EXPECT_EQ(found->second.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(found->second.equal(tensor)) << name;
    EXPECT_TRUE(found->second.is_contiguous());
  }
  EXPECT_EQ(read.metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"note", "\"x\"\n"}}));
}

TEST_F(Safetensors, AreTheSameBytesEveryTimeAndAligned) {
  const std::vector<NamedTensor> tensors{{"b", torch::ones({3})}, {"a", torch::zeros({2, 2})}};
  write_safetensors(file(), tensors);
  const std::string first = read_file(file());
  write_safetensors(file(), tensors);
  EXPECT_EQ(read_file(file()), first);
  EXPECT_EQ((first.size() - 28) % 8, 0U);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1) << "a temporary file is left";
  // In the order given.
  EXPECT_EQ(read_safetensors(file()).tensors[0].first, "b");
}

TEST_F(Safetensors, ReadAHandWrittenFile) {
  const std::string header = R"({"t":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}   )";
  put(length_prefix(header.size()) + header + std::string("\x01\x00\xff\xff", 4));
  const auto tensors = read_safetensors(file()).tensors;
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_TRUE(tensors[0].second.equal(torch::tensor({1, -1}, torch::kShort)));
}

TEST_F(Safetensors, RefuseFilesThatAreCutShort) {
  write_safetensors(file(), {{"weight", torch::ones({8, 8})}});
  const std::string whole = read_file(file());
  for (const std::size_t length : {std::size_t{0}, std::size_t{5}, std::size_t{8}, std::size_t{30}, whole.size() - 1}) {
    put(whole.substr(0, length));
    EXPECT_NE(refusal(), "accepted") << length;
  }
  EXPECT_THAT(refusal(), AllOf(HasSubstr("weight"), HasSubstr("cut short")));
  put(whole + "x");
  EXPECT_THAT(refusal(), HasSubstr("1 bytes after the last tensor"));
}

TEST_F(Safetensors, RefuseHostileHeaderLengths) {
  for (const std::uint64_t length : {std::uint64_t{100'000'001}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    put(length_prefix(length) + "{}");
    EXPECT_THAT(refusal(), HasSubstr("limit"));
  }
  put(length_prefix(90'000'000) + "{}");
  EXPECT_THAT(refusal(), HasSubstr("cut short"));
}

TEST_F(Safetensors, RefuseHeadersThatAreNotTheFormats) {
  EXPECT_THAT(refusal_of("[1, 2]", 0), HasSubstr("begin with"));
  EXPECT_THAT(refusal_of(R"({"a":)", 0), HasSubstr("JSON"));
  EXPECT_THAT(refusal_of(R"({} trailing)", 0), HasSubstr("JSON"));
  EXPECT_THAT(
      refusal_of(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          8),
      AllOf(HasSubstr("\"a\""), HasSubstr("twice")));
  EXPECT_THAT(refusal_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
              AllOf(HasSubstr("\"dtype\""), HasSubstr("twice")));
  EXPECT_THAT(refusal_of("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}", 0),
              HasSubstr("deeper"));
  EXPECT_THAT(refusal_of(R"({"__metadata__":{"n":1}})", 0), HasSubstr("'__metadata__.n' is 1; expected a text"));
  EXPECT_THAT(refusal_of(R"({"a":3})", 0), HasSubstr("'a' is 3; expected an object"));
}

TEST_F(Safetensors, RefuseTensorsThatLie) {
  const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const auto names_w = [&](const std::string& header, std::size_t bytes, const std::string& reason) {
    EXPECT_THAT(refusal_of(header, bytes), HasSubstr(reason)) << header;
  };
  names_w(tensor("F8_E4M3", "[1]", "[0,1]"), 1, "'w.dtype' is \"F8_E4M3\"");
  names_w(tensor("F32", "[2]", "[0,4]"), 4, "'w': has 4 bytes of data, its shape and dtype ask for 8");
  names_w(tensor("F32", "[1]", "[4,0]"), 4, "'w.data_offsets': the end lies before");
  names_w(tensor("F32", "[-1]", "[0,4]"), 4, "'w.shape[0]' is -1; expected a whole number");
  names_w(tensor("F32", "[1.0]", "[0,4]"), 4, "'w.shape[0]' is 1.0; expected a whole number");
  names_w(tensor("F32", "[1]", "[0,4,8]"), 8, "'w.data_offsets' is a list; expected two numbers");
  names_w(tensor("F32", "[1]", "[4,8]"), 8, "tensor \"w\": a gap of 4");
  names_w(tensor("F32", "[4611686018427387904]", "[0,0]"), 0, "'w.shape': its size does not fit into 64 bits");
  names_w(tensor("F32", "[4294967296,4294967296,4]", "[0,0]"), 0, "'w.shape': its size does not fit into 64 bits");
  names_w(tensor("F32", "[9223372036854775808]", "[0,0]"), 0,
          "'w.shape[0]' is 9223372036854775808; expected a whole number from 0 to 9223372036854775807");
  names_w(tensor("F32", "[250000000]", "[0,1000000000]"), 4,
          "tensor \"w\": its data ends at byte 1000000000 of 4: the file is cut short");
  names_w(R"({"w":{"dtype":"F32","shape":[1]}})", 0, "'w.data_offsets' is missing");
  names_w(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4, "unknown key 'w.x'");
  EXPECT_THAT(
      refusal_of(
          R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
          12),
      AllOf(HasSubstr("\"w\""), HasSubstr("overlaps")));
}

TEST_F(Safetensors, RefuseAMissingFileByName) { EXPECT_THAT(refusal(), HasSubstr("cannot be opened")); }

}  // namespace
}  // namespace rlaif::model
