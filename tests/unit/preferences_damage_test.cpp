// Files that are not what they should be: cut, flipped, or made by someone who means harm.
#include <fstream>
#include <functional>

#include "../../src/preferences/hdf5_handles.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/preferences/store.hpp"
#include "unit/preferences_records.hpp"

namespace rlaif::preferences {
namespace {

using ::testing::HasSubstr;

class DamageTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    records_ = make_records(10);
    write_shard(folder_, 0, "test-judge", records_);
    file_ = shard_path(folder_, 0);
  }

  // Changes the shard through HDF5 itself, so that all of its own checksums hold.
  void edit(const std::function<void(hid_t file)>& change) {
    silence_hdf5();
    const Origin origin{file_};
    FileHandle file(RLAIF_HDF5(origin, H5Fopen(file_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT)));
    change(file.get());
    RLAIF_HDF5(origin, file.close());
  }
  template <class Value>
  void overwrite(const char* name, hid_t type, std::size_t index, Value value) {
    edit([&](hid_t file) {
      const Origin origin{file_};
      const DatasetHandle dataset(RLAIF_HDF5(origin, H5Dopen2(file, name, H5P_DEFAULT)));
      const SpaceHandle space(RLAIF_HDF5(origin, H5Dget_space(dataset.get())));
      std::vector<Value> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
      RLAIF_HDF5(origin, H5Dread(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
      values.at(index) = value;
      RLAIF_HDF5(origin, H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
    });
  }
  // A dataset of this extent under `name` instead of the one there, nothing written to it.
  void replace(const char* name, hid_t type, std::vector<hsize_t> extent, std::vector<hsize_t> chunk = {}) {
    edit([&](hid_t file) {
      const Origin origin{file_};
      RLAIF_HDF5(origin, H5Ldelete(file, name, H5P_DEFAULT));
      const SpaceHandle space(
          RLAIF_HDF5(origin, H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr)));
      const PropertiesHandle creation(RLAIF_HDF5(origin, H5Pcreate(H5P_DATASET_CREATE)));
      if (!chunk.empty()) {
        RLAIF_HDF5(origin, H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()));
      }
      const DatasetHandle dataset(
          RLAIF_HDF5(origin, H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT)));
    });
  }
  // Without syncing, which hundreds of damaged files do not need; some file systems sync a file that is cut to zero.
  void put(const std::string& bytes) {
    std::filesystem::remove(file_);
    std::ofstream(file_, std::ios::binary) << bytes;
  }
  std::string refusal() {
    const std::string message = error_of(ErrorKind::input, [&] { read_shard(file_); });
    EXPECT_THAT(message, HasSubstr("shard-000000.h5: "));
    return message;
  }

  std::vector<Preference> records_;
  std::filesystem::path file_;
};

TEST_F(DamageTest, AFlippedByteIsRefusedOrChangesNothing) {
  finish_store(folder_, 1, "test-judge");
  const std::string whole = read_file(file_);
  std::size_t refused = 0, flips = 0;
  for (std::size_t at = 0; at < whole.size(); at += 23) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    put(damaged);
    ++flips;
    // The checksum of the manifest sees every flip.
    EXPECT_THAT(error_of(ErrorKind::input, [&] { read_store(folder_); }), HasSubstr("shard-000000.h5: is damaged"));
    // Without a manifest the shard's own checksums see all that matters: some bytes lie in no object.
    try {
      expect_same(read_shard(file_), records_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr("shard-000000.h5: "));
      ++refused;
    }
    if (HasFailure()) FAIL() << "byte " << at;
  }
  EXPECT_GT(flips, 300u);
  EXPECT_GT(refused, flips / 2);
}

TEST_F(DamageTest, ACutFileIsRefusedAtEveryLength) {
  const std::string whole = read_file(file_);
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 150) {
    put(whole.substr(0, length));
    refusal();
  }
  put(whole.substr(0, whole.size() - 1));
  refusal();
}

TEST_F(DamageTest, NoFileOrAFolderOrSomethingElseIsRefused) {
  EXPECT_THAT(error_of(ErrorKind::input, [&] { read_shard(folder_ / "none.h5"); }), HasSubstr("none.h5"));
  error_of(ErrorKind::input, [&] { read_shard(folder_); });
  put("not HDF5 at all");
  refusal();
}

TEST_F(DamageTest, NamesTheDatasetAndTheRecordOfAnUnknownCode) {
  overwrite<std::uint8_t>("status", H5T_NATIVE_UINT8, 4, 7);
  const std::string message = refusal();
  EXPECT_THAT(message, HasSubstr("dataset /status: record 4: unknown code 7"));
  overwrite<std::uint8_t>("status", H5T_NATIVE_UINT8, 4, 0);
  overwrite<std::uint8_t>("first_ended", H5T_NATIVE_UINT8, 9, 2);
  EXPECT_THAT(refusal(), HasSubstr("dataset /first_ended: record 9: unknown code 2"));
}

TEST_F(DamageTest, RefusesAProbabilityThatIsNone) {
  for (const double p : {std::nan(""), 1.0000001, -1e-9, HUGE_VAL}) {
    overwrite<double>("p_first", H5T_NATIVE_DOUBLE, 7, p);  // status ok
    EXPECT_THAT(refusal(), HasSubstr("record 7: dataset /p_first")) << p;
  }
  overwrite<double>("p_first", H5T_NATIVE_DOUBLE, 7, 0.25);
  EXPECT_EQ(read_shard(file_)[7].verdict.p_first, 0.25);
  overwrite<double>("p_first_by_order", H5T_NATIVE_DOUBLE, 15, 2.0);
  EXPECT_THAT(refusal(), HasSubstr("record 7: dataset /p_first_by_order"));
}

TEST_F(DamageTest, RefusesNegativeCountsAndPrices) {
  overwrite<std::int64_t>("input_tokens", H5T_NATIVE_INT64, 3, -5);
  EXPECT_THAT(refusal(), HasSubstr("record 3: dataset /input_tokens"));
  overwrite<std::int64_t>("input_tokens", H5T_NATIVE_INT64, 3, 5);
  overwrite<double>("cost_usd", H5T_NATIVE_DOUBLE, 2, HUGE_VAL);
  EXPECT_THAT(refusal(), HasSubstr("record 2: dataset /cost_usd"));
}

TEST_F(DamageTest, RefusesOffsetsThatStepBackOrOut) {
  const auto offset = [&](std::size_t index, std::uint64_t value) {
    overwrite<std::uint64_t>("prompt/offsets", H5T_NATIVE_UINT64, index, value);
    const std::string message = refusal();
    EXPECT_THAT(message, HasSubstr("dataset /prompt/offsets"));
    return message;
  };
  offset(0, 1);
  overwrite<std::uint64_t>("prompt/offsets", H5T_NATIVE_UINT64, 0, 0);
  offset(10, std::uint64_t{1} << 63);
  write_shard(folder_, 0, "test-judge", records_);
  EXPECT_THAT(offset(5, std::numeric_limits<std::uint64_t>::max()), HasSubstr("record 4"));
  write_shard(folder_, 0, "test-judge", records_);
  EXPECT_THAT(offset(5, 0), HasSubstr("record 4"));
}

TEST_F(DamageTest, TakesNoMemoryForSizesThatTheFileCannotHold) {
  replace("prompt/bytes", H5T_STD_U8LE, {hsize_t{1} << 50}, {1 << 20});
  EXPECT_THAT(refusal(), HasSubstr("dataset /prompt/bytes: its 1 x 1048576 values"));
  write_shard(folder_, 0, "test-judge", records_);
  replace("prompt/bytes", H5T_STD_U8LE, {hsize_t{1} << 40}, {4096});
  EXPECT_THAT(refusal(), HasSubstr("dataset /prompt/bytes: its"));
  write_shard(folder_, 0, "test-judge", records_);
  replace("p_first_by_order", H5T_IEEE_F64LE, {hsize_t{1} << 58, 2});
  EXPECT_THAT(refusal(), HasSubstr("dataset /p_first_by_order: its"));
  write_shard(folder_, 0, "test-judge", records_);
  edit([&](hid_t file) {
    const std::uint64_t many = std::uint64_t{1} << 60;
    const AttributeHandle attribute(RLAIF_HDF5(Origin{file_}, H5Aopen(file, "records", H5P_DEFAULT)));
    RLAIF_HDF5(Origin{file_}, H5Awrite(attribute.get(), H5T_NATIVE_UINT64, &many));
  });
  EXPECT_THAT(refusal(), HasSubstr("attribute records"));
}

TEST_F(DamageTest, RefusesColumnsOfAnotherTypeShapeOrLength) {
  replace("id", H5T_STD_U64LE, {9});
  EXPECT_THAT(refusal(), HasSubstr("dataset /id: expected 10 rows, got 9"));
  replace("id", H5T_STD_I64LE, {10});
  EXPECT_THAT(refusal(), HasSubstr("dataset /id: has another type"));
  replace("id", H5T_STD_U64LE, {5, 2});
  EXPECT_THAT(refusal(), HasSubstr("dataset /id: has another shape"));
  replace("id", H5T_STD_U64LE, {});
  EXPECT_THAT(refusal(), HasSubstr("dataset /id: has another shape"));
}

TEST_F(DamageTest, RefusesAMissingColumn) {
  edit([&](hid_t file) { RLAIF_HDF5(Origin{file_}, H5Ldelete(file, "rationale", H5P_DEFAULT)); });
  EXPECT_THAT(refusal(), HasSubstr("dataset /rationale/offsets: H5Lget_info"));
}

TEST_F(DamageTest, RefusesLinksAndDataOfOtherFiles) {
  edit([&](hid_t file) {
    const Origin origin{file_};
    RLAIF_HDF5(origin, H5Ldelete(file, "id", H5P_DEFAULT));
    RLAIF_HDF5(origin, H5Lcreate_soft("/prompt_id", file, "id", H5P_DEFAULT, H5P_DEFAULT));
  });
  EXPECT_THAT(refusal(), HasSubstr("dataset /id: expected the data itself, got a link"));
  write_shard(folder_, 0, "test-judge", records_);
  write_file_atomic(folder_ / "secret", std::string(80, 'x'));
  edit([&](hid_t file) {
    const Origin origin{file_};
    RLAIF_HDF5(origin, H5Ldelete(file, "id", H5P_DEFAULT));
    const hsize_t extent = 10;
    const SpaceHandle space(RLAIF_HDF5(origin, H5Screate_simple(1, &extent, nullptr)));
    const PropertiesHandle creation(RLAIF_HDF5(origin, H5Pcreate(H5P_DATASET_CREATE)));
    RLAIF_HDF5(origin, H5Pset_external(creation.get(), (folder_ / "secret").c_str(), 0, 80));
    const DatasetHandle dataset(RLAIF_HDF5(
        origin, H5Dcreate2(file, "id", H5T_STD_U64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT)));
  });
  EXPECT_THAT(refusal(), HasSubstr("dataset /id: expected the data in this file"));
}

TEST_F(DamageTest, RefusesAnotherFormatOrVersion) {
  edit([&](hid_t file) {
    const std::uint64_t version = 3;
    const AttributeHandle attribute(RLAIF_HDF5(Origin{file_}, H5Aopen(file, "version", H5P_DEFAULT)));
    RLAIF_HDF5(Origin{file_}, H5Awrite(attribute.get(), H5T_NATIVE_UINT64, &version));
  });
  EXPECT_THAT(refusal(), HasSubstr("expected version 1 or 2, got 3"));
  edit([&](hid_t file) { RLAIF_HDF5(Origin{file_}, H5Adelete(file, "format")); });
  EXPECT_THAT(refusal(), HasSubstr("attribute format: H5Aopen"));
}

TEST_F(DamageTest, PrintsNothingOfHdf5Itself) {
  put(read_file(file_).substr(0, 1000));
  ::testing::internal::CaptureStderr();
  const std::string message = refusal();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(message, HasSubstr("H5Fopen"));
  EXPECT_THAT(message, HasSubstr("truncated file"));
}

}  // namespace
}  // namespace rlaif::preferences
