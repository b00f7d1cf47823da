// A shard's records become the bytes of one HDF5 file, and those a file on disk.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "columns.hpp"
#include "memory_file.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/preferences/store.hpp"
#include "shard_read.hpp"

namespace rlaif::preferences {
namespace {

constexpr std::size_t kChunkBytes = 1 << 20;
constexpr std::size_t kLongestJudge = 4096;

const char* const kDescription =
    "Comparisons of two completions of one prompt, each with a judge's verdict: row i of every column is record i. "
    "A dataset is a column of numbers. A group is a column of UTF-8 text: text i is its "
    "bytes[offsets[i]:offsets[i + 1]]. Every column has a description; one with the attribute values holds codes, "
    "and values names code 0, 1, ... in order.";

class ShardWriter {
 public:
  ShardWriter(const Origin& origin, std::span<const Preference> records, std::size_t expected_bytes)
      : origin_(origin),
        records_(records),
        file_(origin, expected_bytes),
        access_(RLAIF_HDF5(origin_, H5Pcreate(H5P_DATASET_ACCESS))) {
    // Every chunk is written once and whole: a cache would only hold it back.
    RLAIF_HDF5(origin_, H5Pset_chunk_cache(access_.get(), 0, 0, 1.0));
  }

  std::string_view write(std::uint64_t block, const std::string& judge) {
    write_text(file_.get(), "format", kFormat);
    const bool has_turns = std::any_of(records_.begin(), records_.end(), [](const Preference& record) {
      return !record.comparison.prompt.turns.empty();
    });
    write_count(file_.get(), "version", has_turns ? kVersionWithTurns : kVersion);
    write_text(file_.get(), "description", kDescription);
    write_text(file_.get(), "judge", judge);
    write_count(file_.get(), "block", block);
    write_count(file_.get(), "records", records_.size());
    visit_columns([this](const Column& column, auto member) {
      origin_.object = "dataset /" + std::string(column.name);
      write_column(records_, column, member, std::decay_t<decltype(member(records_[0]))>());
    });
    // A shard of plain judges has no group of members, one of single texts none of turns.
    write_lists<MemberVerdict>(
        {"members",
         "what the members of a combined judge said: those of record i are rows offsets[i] to "
         "offsets[i + 1] of every column here"},
        kMemberOffsets, [](const Preference& record) -> auto& { return record.verdict.members; },
        [](auto visit) { visit_member_columns(visit); });
    write_lists<Message>(
        {"turns",
         "the turns of prompts that are conversations: those of record i are rows offsets[i] to "
         "offsets[i + 1] of every column here; none where the prompt is the user's only turn"},
        kTurnOffsets, [](const Preference& record) -> auto& { return record.comparison.prompt.turns; },
        [](auto visit) { visit_turn_columns(visit); });
    origin_.object.clear();
    return file_.finish();
  }

 private:
  // What a record has any number of, as a group of columns and where each record's rows begin in them. Nothing where no
  // record has one.
  template <class Row, class ListOf, class Columns>
  void write_lists(const Column& group, const Column& offsets_column, ListOf list_of, Columns columns) {
    std::vector<Row> rows;
    std::vector<std::uint64_t> offsets{0};
    for (const Preference& record : records_) {
      const std::vector<Row>& list = list_of(record);
      rows.insert(rows.end(), list.begin(), list.end());
      offsets.push_back(rows.size());
    }
    if (rows.empty()) return;
    origin_.object = "group /" + std::string(group.name);
    make_group(group);
    write_dataset(file_.get(), offsets_column, offsets.data(), offsets.size(), H5T_STD_U64LE, H5T_NATIVE_UINT64);
    const std::span<const Row> all(rows);
    columns([&](const Column& column, auto member) {
      write_column(all, column, member, std::decay_t<decltype(member(all[0]))>());
    });
  }

  GroupHandle make_group(const Column& column) {
    const PropertiesHandle creation(RLAIF_HDF5(origin_, H5Pcreate(H5P_GROUP_CREATE)));
    RLAIF_HDF5(origin_, H5Pset_obj_track_times(creation.get(), false));
    GroupHandle group(
        RLAIF_HDF5(origin_, H5Gcreate2(file_.get(), column.name, H5P_DEFAULT, creation.get(), H5P_DEFAULT)));
    write_text(group.get(), "description", column.description);
    return group;
  }

  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, const std::string&) {
    const GroupHandle group = make_group(column);
    std::uint64_t total = 0;
    for (const Row& row : rows) total += member(row).size();
    const auto bytes = std::make_unique_for_overwrite<char[]>(total);
    const auto offsets = std::make_unique_for_overwrite<std::uint64_t[]>(rows.size() + 1);
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string& text = member(rows[i]);
      offsets[i] = end;
      std::memcpy(bytes.get() + end, text.data(), text.size());
      end += text.size();
    }
    offsets[rows.size()] = end;
    write_dataset(group.get(), {"bytes", "the texts of all records one after the other, UTF-8"}, bytes.get(), total,
                  H5T_STD_U8LE, H5T_NATIVE_UINT8);
    write_dataset(group.get(), {"offsets", "where text i begins in bytes; one more at the end"}, offsets.get(),
                  rows.size() + 1, H5T_STD_U64LE, H5T_NATIVE_UINT64);
  }

  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, std::uint64_t) {
    write_numbers<std::uint64_t>(rows, column, H5T_STD_U64LE, H5T_NATIVE_UINT64, member);
  }
  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, std::uint32_t) {
    write_numbers<std::uint32_t>(rows, column, H5T_STD_U32LE, H5T_NATIVE_UINT32, member);
  }
  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, std::int64_t) {
    write_numbers<std::int64_t>(rows, column, H5T_STD_I64LE, H5T_NATIVE_INT64, member);
  }
  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, bool) {
    write_numbers<std::uint8_t>(rows, column, H5T_STD_U8LE, H5T_NATIVE_UINT8, member);
  }
  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, VerdictStatus) {
    const DatasetHandle dataset =
        write_numbers<std::uint8_t>(rows, column, H5T_STD_U8LE, H5T_NATIVE_UINT8,
                                    [&](const Row& row) { return static_cast<std::uint8_t>(member(row)); });
    write_status_names(dataset.get());
  }
  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, double) {
    write_numbers<double>(rows, column, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE,
                          [&](const Row& row) { return one_nan(member(row)); });
  }
  template <class Row, class Member>
  void write_column(std::span<const Row> rows, const Column& column, Member member, const std::array<double, 2>&) {
    const auto values = std::make_unique_for_overwrite<double[]>(2 * rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t order = 0; order < 2; ++order) values[2 * i + order] = one_nan(member(rows[i])[order]);
    }
    write_dataset(file_.get(), column, values.get(), rows.size(), H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2);
  }

  // NaN has many bit patterns, and infinities mean no more than it here: one pattern for all.
  static double one_nan(double value) { return std::isfinite(value) ? value : kNotANumber; }

  template <class Stored, class Row, class Member>
  DatasetHandle write_numbers(std::span<const Row> rows, const Column& column, hid_t file_type, hid_t memory_type,
                              Member member) {
    const auto values = std::make_unique_for_overwrite<Stored[]>(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) values[i] = member(rows[i]);
    return write_dataset(file_.get(), column, values.get(), rows.size(), file_type, memory_type);
  }

  // values: `rows` rows of `width` elements; width 1 makes a dataset of rank 1.
  DatasetHandle write_dataset(hid_t parent, const Column& column, const void* values, hsize_t rows, hid_t file_type,
                              hid_t memory_type, hsize_t width = 1) {
    const int rank = width == 1 ? 1 : 2;
    const hsize_t extent[2] = {rows, width};
    const hsize_t row_bytes = width * H5Tget_size(file_type);
    // Chunks of equal size, so that the last one wastes less than a row for each of them.
    const hsize_t chunks = std::max<hsize_t>(1, (rows * row_bytes + kChunkBytes - 1) / kChunkBytes);
    const hsize_t chunk[2] = {std::max<hsize_t>(1, (rows + chunks - 1) / chunks), width};
    const SpaceHandle space(RLAIF_HDF5(origin_, H5Screate_simple(rank, extent, nullptr)));
    const PropertiesHandle creation(RLAIF_HDF5(origin_, H5Pcreate(H5P_DATASET_CREATE)));
    RLAIF_HDF5(origin_, H5Pset_obj_track_times(creation.get(), false));
    if (rows > 0) {  // a chunk may not be larger than its dataset: empty ones have none, and no checksum
      RLAIF_HDF5(origin_, H5Pset_chunk(creation.get(), rank, chunk));
      RLAIF_HDF5(origin_, H5Pset_fletcher32(creation.get()));
    }
    DatasetHandle dataset(RLAIF_HDF5(
        origin_, H5Dcreate2(parent, column.name, file_type, space.get(), H5P_DEFAULT, creation.get(), access_.get())));
    write_text(dataset.get(), "description", column.description);
    if (rows > 0) {
      RLAIF_HDF5(origin_, H5Dwrite(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    }
    return dataset;
  }

  TypeHandle text_type(std::size_t bytes) {
    TypeHandle type(RLAIF_HDF5(origin_, H5Tcopy(H5T_C_S1)));
    RLAIF_HDF5(origin_, H5Tset_size(type.get(), std::max<std::size_t>(1, bytes)));
    RLAIF_HDF5(origin_, H5Tset_strpad(type.get(), H5T_STR_NULLPAD));
    RLAIF_HDF5(origin_, H5Tset_cset(type.get(), H5T_CSET_UTF8));
    return type;
  }

  void write_attribute(hid_t object, const char* name, hid_t type, hid_t space, hid_t memory_type, const void* value) {
    const AttributeHandle attribute(
        RLAIF_HDF5(origin_, H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT)));
    RLAIF_HDF5(origin_, H5Awrite(attribute.get(), memory_type, value));
  }

  void write_text(hid_t object, const char* name, const std::string& text) {
    const TypeHandle type = text_type(text.size());
    const SpaceHandle space(RLAIF_HDF5(origin_, H5Screate(H5S_SCALAR)));
    write_attribute(object, name, type.get(), space.get(), type.get(), text.c_str());
  }

  void write_count(hid_t object, const char* name, std::uint64_t value) {
    const SpaceHandle space(RLAIF_HDF5(origin_, H5Screate(H5S_SCALAR)));
    write_attribute(object, name, H5T_STD_U64LE, space.get(), H5T_NATIVE_UINT64, &value);
  }

  void write_status_names(hid_t dataset) {
    constexpr std::size_t kWidth = 16;
    std::string names(kWidth * kStatuses.size(), '\0');
    for (std::size_t code = 0; code < kStatuses.size(); ++code) {
      const std::string name = to_string(kStatuses[code]);
      RLAIF_CHECK(name.size() <= kWidth && static_cast<std::size_t>(kStatuses[code]) == code, name);
      names.replace(kWidth * code, name.size(), name);
    }
    const TypeHandle type = text_type(kWidth);
    const hsize_t extent = kStatuses.size();
    const SpaceHandle space(RLAIF_HDF5(origin_, H5Screate_simple(1, &extent, nullptr)));
    write_attribute(dataset, "values", type.get(), space.get(), type.get(), names.data());
  }

  Origin origin_;
  std::span<const Preference> records_;
  MemoryFile file_;
  PropertiesHandle access_;
};

// Enough for all columns, so that the buffer does not move while it is filled.
std::size_t expected_bytes(std::span<const Preference> records) {
  std::size_t bytes = std::size_t{1} << 16;
  visit_columns([&](const Column&, auto member) {
    using Field = std::decay_t<decltype(member(records[0]))>;
    if constexpr (std::is_same_v<Field, std::string>) {
      bytes += sizeof(std::uint64_t) * records.size();
      for (const Preference& record : records) bytes += member(record).size();
    } else {
      bytes += sizeof(Field) * records.size();
    }
  });
  for (const Preference& record : records) {
    for (const MemberVerdict& member : record.verdict.members) bytes += sizeof(MemberVerdict) + member.name.size();
  }
  return bytes + bytes / 1024;
}

}  // namespace

void write_shard(const std::filesystem::path& folder, std::uint64_t block, const std::string& judge,
                 std::span<const Preference> records) {
  silence_hdf5();
  const std::filesystem::path file = shard_path(folder, block);
  if (judge.size() > kLongestJudge) {
    throw input_error(file, "expected a judge's name of at most " + std::to_string(kLongestJudge) + " bytes, got " +
                                std::to_string(judge.size()));
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string problem = record_problem(records[i]);
    if (!problem.empty()) throw input_error(file, "record " + std::to_string(i) + ": " + problem);
  }
  ShardWriter writer(Origin{file, ErrorKind::resource}, records, expected_bytes(records));
  write_file_atomic(file, writer.write(block, judge));
}

std::string shard_bytes(const std::filesystem::path& file, const Shard& shard) {
  silence_hdf5();
  ShardWriter writer(Origin{file, ErrorKind::resource}, shard.records, expected_bytes(shard.records));
  return std::string(writer.write(shard.block, shard.judge));
}

}  // namespace rlaif::preferences
