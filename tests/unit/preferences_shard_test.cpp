#include <sys/resource.h>
#include <csignal>

#include "rlaif/core/files.hpp"
#include "rlaif/preferences/store.hpp"
#include "unit/preferences_records.hpp"

namespace rlaif::preferences {
namespace {

class ShardTest : public StoreTest {};

TEST_F(ShardTest, ReadsBackWhatWasWritten) {
  for (const std::size_t count : {0, 1, 2, 7, 500}) {
    SCOPED_TRACE(count);
    const auto records = make_records(count, count);
    write_shard(folder_, 3, "test-judge", records);
    expect_same(read_shard(shard_path(folder_, 3)), records);
  }
}

TEST_F(ShardTest, ReadsBackWhatMembersSaid) {
  for (const std::size_t count : {1, 2, 7, 500}) {
    SCOPED_TRACE(count);
    const auto records = with_members(make_records(count, count));
    write_shard(folder_, 3, "test-judge", records);
    expect_same(read_shard(shard_path(folder_, 3)), records);
    const auto again = folder_ / "again";
    write_shard(again, 3, "test-judge", read_shard(shard_path(folder_, 3)));
    EXPECT_EQ(read_file(shard_path(folder_, 3)), read_file(shard_path(again, 3)));
  }
}

TEST_F(ShardTest, RefusesMembersThatSayNoProbability) {
  auto records = with_members(make_records(2));
  records[1].verdict.members = {{"small", VerdictStatus::ok, 1.5, 0.0}};
  EXPECT_THROW(write_shard(folder_, 0, "test-judge", records), Error);
  records[1].verdict.members = {{"small", VerdictStatus::refused, 0.5, -1.0}};
  EXPECT_THROW(write_shard(folder_, 0, "test-judge", records), Error);
}

// Three records of a cascade, written before shards had columns of members.
TEST_F(ShardTest, ReadsShardsOfEarlierVersionsAndWritesPlainOnesAsTheyDid) {
  const auto file = std::filesystem::path(RLAIF_SOURCE_DIR) / "tests/fixtures/shard_without_members.h5";
  const auto records = read_shard(file);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].judge, "cascade");
  EXPECT_EQ(records[1].verdict.p_first, 0.9078);
  EXPECT_EQ(records[1].verdict.rationale, "small 0.5500, big 0.9078 | both read");
  EXPECT_EQ(records[2].verdict.status, VerdictStatus::refused);
  for (const Preference& record : records) EXPECT_TRUE(record.verdict.members.empty());
  write_shard(folder_, 0, "cascade", records);
  EXPECT_EQ(read_file(shard_path(folder_, 0)), read_file(file));
}

TEST_F(ShardTest, ReadsBackColumnsOfManyChunks) {
  const auto records = make_records(40, 1, 60000);  // about 2 MB a text column
  write_shard(folder_, 0, "test-judge", records);
  ASSERT_GT(std::filesystem::file_size(shard_path(folder_, 0)), 4u << 20);
  expect_same(read_shard(shard_path(folder_, 0)), records);
}

TEST_F(ShardTest, KeepsTextThatIsNotUtf8) {
  auto records = make_records(1);
  records[0].comparison.first.text = "\xff\xfe\x80 half \xe9";
  write_shard(folder_, 0, "test-judge", records);
  expect_same(read_shard(shard_path(folder_, 0)), records);
}

TEST_F(ShardTest, GivesTheSameBytesForTheSameRecords) {
  for (const std::size_t count : {0, 1, 300}) {
    const auto records = make_records(count);
    write_shard(folder_, 5, "test-judge", records);
    write_shard(folder_ / "elsewhere", 5, "test-judge", records);
    EXPECT_EQ(read_file(shard_path(folder_, 5)), read_file(shard_path(folder_ / "elsewhere", 5))) << count;
  }
}

TEST_F(ShardTest, GivesOtherBytesForAnotherJudgeOrBlock) {
  const auto records = make_records(3);
  write_shard(folder_, 0, "test-judge", records);
  write_shard(folder_, 1, "test-judge", records);
  write_shard(folder_ / "other", 0, "other-judge", records);
  EXPECT_NE(file_checksum(shard_path(folder_, 0)), file_checksum(shard_path(folder_, 1)));
  EXPECT_NE(file_checksum(shard_path(folder_, 0)), file_checksum(shard_path(folder_ / "other", 0)));
}

TEST_F(ShardTest, StoresOneKindOfNotANumber) {
  auto records = make_records(2);
  ASSERT_EQ(records[1].verdict.status, VerdictStatus::missing);
  records[1].verdict.p_first = std::numeric_limits<double>::quiet_NaN();
  write_shard(folder_, 0, "j", records);
  records[1].verdict.p_first = -std::numeric_limits<double>::infinity();
  write_shard(folder_ / "other", 0, "j", records);
  EXPECT_EQ(read_file(shard_path(folder_, 0)), read_file(shard_path(folder_ / "other", 0)));
  EXPECT_TRUE(std::isnan(read_shard(shard_path(folder_, 0))[1].verdict.p_first));
}

TEST_F(ShardTest, TakesTheJudgeFromTheFileEvenWhereItHasNoName) {
  write_shard(folder_, 0, "", make_records(1));
  EXPECT_EQ(read_shard(shard_path(folder_, 0))[0].judge, "");
}

TEST_F(ShardTest, RefusesToWriteWhatItWouldNotRead) {
  const auto refused = [&](auto change) {
    auto records = make_records(8);
    change(records[7]);  // status ok
    const std::string message = error_of(ErrorKind::input, [&] { write_shard(folder_, 0, "j", records); });
    EXPECT_THAT(message, ::testing::HasSubstr("shard-000000.h5: record 7: "));
    EXPECT_TRUE(names_in_folder().empty());
    return message;
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(refused([](Preference& record) { record.verdict.p_first = 1.5; }), HasSubstr("p_first"));
  EXPECT_THAT(refused([](Preference& record) { record.verdict.p_first = std::nan(""); }), HasSubstr("p_first"));
  EXPECT_THAT(refused([](Preference& record) { record.verdict.p_first_by_order[1] = -0.1; }),
              HasSubstr("p_first_by_order"));
  EXPECT_THAT(refused([](Preference& record) { record.verdict.usage.output_tokens = -1; }), HasSubstr("output_tokens"));
  EXPECT_THAT(refused([](Preference& record) { record.verdict.usage.cost_usd = std::nan(""); }), HasSubstr("cost_usd"));
  error_of(ErrorKind::input, [&] { write_shard(folder_, 0, std::string(100000, 'x'), make_records(1)); });
}

// A file size limit is a disk that fills up in the middle of a write, without needing a disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(ShardTest, FullDiskNamesTheFileAndLeavesNothingBehind) {
  const auto records = make_records(500);
  for (const rlim_t limit : {0, 1, 100, 4096, 30000}) {
    std::string message;
    {
      const FileSizeLimit full(limit);
      message = error_of(ErrorKind::resource, [&] { write_shard(folder_, 2, "j", records); });
    }
    EXPECT_THAT(message, ::testing::HasSubstr("shard-000002.h5"));
    EXPECT_THAT(message, ::testing::HasSubstr("File too large"));
    EXPECT_TRUE(names_in_folder().empty()) << limit;
  }
  write_shard(folder_, 2, "test-judge", records);
  expect_same(read_shard(shard_path(folder_, 2)), records);
}

TEST_F(ShardTest, FullDiskLeavesTheShardThatWasThere) {
  const auto records = make_records(20);
  write_shard(folder_, 0, "test-judge", records);
  {
    const FileSizeLimit full(1000);
    error_of(ErrorKind::resource, [&] { write_shard(folder_, 0, "test-judge", make_records(30)); });
  }
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"shard-000000.h5"});
  expect_same(read_shard(shard_path(folder_, 0)), records);
}

}  // namespace
}  // namespace rlaif::preferences
