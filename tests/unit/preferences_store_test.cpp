#include <array>

#include "rlaif/core/files.hpp"
#include "rlaif/preferences/store.hpp"
#include "unit/preferences_records.hpp"

namespace rlaif::preferences {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Three blocks of 4, 0 and 3 records.
class WholeStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (std::uint64_t block = 0; block < 3; ++block) {
      const auto records = make_records(std::array{4u, 0u, 3u}[block], block);
      write_shard(folder_, block, "test-judge", records);
      all_.insert(all_.end(), records.begin(), records.end());
    }
  }
  void damage(std::uint64_t block) {
    std::string bytes = read_file(shard_path(folder_, block));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    bytes[100] = static_cast<char>(bytes[100] ^ 1);
    write_file_atomic(shard_path(folder_, block), bytes);
  }
  std::vector<Preference> all_;
};

TEST_F(WholeStoreTest, NamesShardsByBlock) {
  EXPECT_EQ(shard_path("store", 12), std::filesystem::path("store/shard-000012.h5"));
  EXPECT_EQ(shard_path("store", 1234567), std::filesystem::path("store/shard-1234567.h5"));
}

TEST_F(WholeStoreTest, ReadsAllRecordsInOrderOfBlocks) {
  finish_store(folder_, 3, "test-judge");
  expect_same(read_store(folder_), all_);
  EXPECT_THAT(validate_store(folder_), IsEmpty());
}

TEST_F(WholeStoreTest, ManifestReadsBackAndIsTheSameBytesEachTime) {
  const Manifest written = finish_store(folder_, 3, "test-judge");
  const std::string bytes = read_file(folder_ / "manifest.json");
  const auto read = read_manifest(folder_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->judge, "test-judge");
  EXPECT_EQ(read->records(), 7u);
  ASSERT_EQ(read->shards.size(), 3u);
  for (std::uint64_t block = 0; block < 3; ++block) {
    EXPECT_EQ(read->shards[block].file, shard_path("", block));
    EXPECT_EQ(read->shards[block].block, block);
    EXPECT_EQ(read->shards[block].records, (std::array{4u, 0u, 3u}[block]));
    EXPECT_EQ(read->shards[block].checksum, file_checksum(shard_path(folder_, block)));
    EXPECT_EQ(read->shards[block].checksum, written.shards[block].checksum);
  }
  finish_store(folder_, 3, "test-judge");
  EXPECT_EQ(read_file(folder_ / "manifest.json"), bytes);
}

TEST_F(WholeStoreTest, WithoutAManifestThereIsNoStore) {
  EXPECT_FALSE(read_manifest(folder_));
  EXPECT_THAT(error_of(ErrorKind::input, [&] { read_store(folder_); }), HasSubstr("no manifest.json"));
  EXPECT_THAT(validate_store(folder_), ElementsAre(HasSubstr("no manifest.json")));
  EXPECT_FALSE(read_manifest(folder_ / "nowhere"));
}

TEST_F(WholeStoreTest, FinishedBlocksAreThoseThatReadBack) {
  EXPECT_THAT(finished_blocks(folder_, 4), ElementsAre(true, true, true, false));
  EXPECT_THAT(finished_blocks(folder_ / "nowhere", 2), ElementsAre(false, false));
}

TEST_F(WholeStoreTest, FinishedBlocksRemovesDamagedShardsAndSaysSo) {
  damage(2);
  std::filesystem::copy_file(shard_path(folder_, 0), shard_path(folder_, 3));  // another block's shard
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(finished_blocks(folder_, 4), ElementsAre(true, true, false, false));
  EXPECT_THAT(
      ::testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr("shard-000002.h5"), HasSubstr("shard-000003.h5"), HasSubstr("expected the shard of block 3")));
  EXPECT_THAT(names_in_folder(), ElementsAre("shard-000000.h5", "shard-000001.h5"));
}

TEST_F(WholeStoreTest, FinishRefusesMissingDamagedForeignAndExtraShards) {
  EXPECT_THAT(error_of(ErrorKind::input, [&] { finish_store(folder_, 4, "test-judge"); }),
              HasSubstr("shard-000003.h5"));
  EXPECT_THAT(error_of(ErrorKind::input, [&] { finish_store(folder_, 2, "test-judge"); }),
              HasSubstr("shard-000002.h5"));
  EXPECT_THAT(error_of(ErrorKind::input, [&] { finish_store(folder_, 3, "other"); }),
              HasSubstr("expected the judge 'other'"));
  damage(0);
  EXPECT_THAT(error_of(ErrorKind::input, [&] { finish_store(folder_, 3, "test-judge"); }),
              HasSubstr("shard-000000.h5"));
  EXPECT_FALSE(read_manifest(folder_));
}

TEST_F(WholeStoreTest, FinishRemovesWhatKilledWritersLeft) {
  write_file_atomic(folder_ / ".shard-000001.h5.4711.tmp", "half");
  finish_store(folder_, 3, "test-judge");
  EXPECT_THAT(validate_store(folder_), IsEmpty());
}

TEST_F(WholeStoreTest, ValidateListsEverythingThatIsWrong) {
  finish_store(folder_, 3, "test-judge");
  damage(0);
  std::filesystem::remove(shard_path(folder_, 1));
  write_file_atomic(folder_ / "notes.txt", "mine");
  write_file_atomic(folder_ / ".shard-000001.h5.4711.tmp", "half");
  write_shard(folder_, 7, "test-judge", all_);
  EXPECT_THAT(validate_store(folder_), ElementsAre(AllOf(HasSubstr("shard-000000.h5"), HasSubstr("checksum")),
                                                   AllOf(HasSubstr("shard-000001.h5"), HasSubstr("missing")),
                                                   AllOf(HasSubstr(".shard-000001.h5.4711.tmp"), HasSubstr("killed")),
                                                   AllOf(HasSubstr("notes.txt"), HasSubstr("does not belong")),
                                                   AllOf(HasSubstr("shard-000007.h5"), HasSubstr("does not belong"))));
}

TEST_F(WholeStoreTest, ValidateSeesAShardThatItsManifestMiscountsOrCannotRead) {
  finish_store(folder_, 3, "test-judge");
  const std::string manifest = read_file(folder_ / "manifest.json");
  const auto replace = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  // Fewer records than the shard holds, and the sum adjusted.
  std::string miscounted = replace(manifest, "\"records\": 4", "\"records\": 5");
  miscounted = replace(miscounted, "\"records\": 7", "\"records\": 8");
  write_file_atomic(folder_ / "manifest.json", miscounted);
  EXPECT_THAT(validate_store(folder_), ElementsAre(HasSubstr("holds 4 records, the manifest has 5")));
  // A damaged shard whose checksum was taken after the damage.
  const std::string before = file_checksum(shard_path(folder_, 2));
  damage(2);
  write_file_atomic(folder_ / "manifest.json", replace(manifest, before, file_checksum(shard_path(folder_, 2))));
  EXPECT_THAT(validate_store(folder_), ElementsAre(AllOf(HasSubstr("shard-000002.h5"), HasSubstr("failed"))));
}

TEST_F(WholeStoreTest, RefusesAManifestThatIsNone) {
  finish_store(folder_, 3, "test-judge");
  const std::string manifest = read_file(folder_ / "manifest.json");
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string changed = manifest;
    changed.replace(changed.find(from), from.size(), to);
    write_file_atomic(folder_ / "manifest.json", changed);
    EXPECT_THAT(error_of(ErrorKind::input, [&] { read_manifest(folder_); }), HasSubstr("manifest.json")) << from;
    EXPECT_EQ(validate_store(folder_).size(), 1u);
  };
  refused("{", "[");
  refused("\"version\": 1", "\"version\": 2");
  refused("shard-000001.h5", "../../outside.h5");
  refused("\"block\": 1", "\"block\": 2");
  refused("\"records\": 7", "\"records\": 8");
  refused("\"records\": 4", "\"records\": -4");
  refused("\"checksum\": \"", "\"checksum\": \"x");
  refused("\"judge\"", "\"jugde\"");
}

}  // namespace
}  // namespace rlaif::preferences
