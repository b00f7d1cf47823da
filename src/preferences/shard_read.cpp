// Reading a shard trusts nothing: each size is held against the file's own before memory is taken for it.
#include "shard_read.hpp"

#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

#include "columns.hpp"
#include "hdf5_handles.hpp"
#include "rlaif/preferences/store.hpp"

namespace rlaif::preferences {
namespace {

constexpr std::size_t kLongestAttribute = 1 << 16;

template <class Value>
struct Array {
  std::unique_ptr<Value[]> values;
  std::uint64_t size = 0;
  const Value& operator[](std::uint64_t i) const { return values[i]; }
};

class ShardReader {
 public:
  explicit ShardReader(const std::filesystem::path& file) : origin_{file}, file_bytes_(size_of(file)), file_(open()) {}

  Shard read() {
    if (read_text("format") != kFormat) throw origin_.error(std::string("expected the format ") + kFormat);
    const std::uint64_t version = read_count("version");
    if (version != kVersion && version != kVersionWithTurns) {
      throw origin_.error("expected version " + std::to_string(kVersion) + " or " + std::to_string(kVersionWithTurns) +
                          ", got " + std::to_string(version));
    }
    Shard shard;
    shard.judge = read_text("judge");
    shard.block = read_count("block");
    const std::uint64_t records = read_count("records");
    if (records > file_bytes_) {
      throw origin_.error("attribute records is " + std::to_string(records) + ", more than the file's " +
                          std::to_string(file_bytes_) + " bytes can hold");
    }
    // The ids are read before the records exist: they show that the file is as large as it says.
    read_numbers<std::uint64_t>("id", H5T_STD_U64LE, H5T_NATIVE_UINT64, records);
    shard.records.resize(records);
    visit_columns([&](const Column& column, auto member) {
      read_column(column.name, member, shard.records, std::decay_t<decltype(member(shard.records[0]))>());
    });
    // Shards of plain judges, and those of earlier versions, have no members; those of single texts no turns.
    read_lists<MemberVerdict>(
        "members", kMemberOffsets, "members/status", H5T_STD_U8LE, shard.records,
        [](Preference& record) -> auto& { return record.verdict.members; },
        [](auto visit) { visit_member_columns(visit); });
    read_lists<Message>(
        "turns", kTurnOffsets, "turns/role/offsets", H5T_STD_U64LE, shard.records,
        [](Preference& record) -> auto& { return record.comparison.prompt.turns; },
        [](auto visit) { visit_turn_columns(visit); });
    for (std::size_t i = 0; i < records; ++i) {
      const std::string problem = record_problem(shard.records[i]);
      if (!problem.empty()) throw origin_.error("record " + std::to_string(i) + ": dataset /" + problem);
      shard.records[i].judge = shard.judge;
    }
    return shard;
  }

 private:
  // What a record has any number of: the columns of a group, and where each record's rows begin in them. `counted`: a
  // dataset whose size, which is held against the file's, says how many rows there are.
  template <class Row, class ListOf, class Columns>
  void read_lists(const char* group, const Column& offsets_column, const char* counted, hid_t counted_type,
                  std::vector<Preference>& records, ListOf list_of, Columns columns) {
    if (RLAIF_HDF5(origin_, H5Lexists(file_.get(), group, H5P_DEFAULT)) == 0) return;
    const auto offsets =
        read_numbers<std::uint64_t>(offsets_column.name, H5T_STD_U64LE, H5T_NATIVE_UINT64, records.size() + 1);
    const std::uint64_t rows = rows_of(counted, counted_type);
    const Origin origin = about(origin_, offsets_column.name);
    if (offsets[0] != 0 || offsets[records.size()] != rows) {
      throw origin.error("expected them to run from 0 to " + std::to_string(rows) + ", got " +
                         std::to_string(offsets[0]) + " to " + std::to_string(offsets[records.size()]));
    }
    std::vector<Row> all(rows);
    columns([&](const Column& column, auto member) {
      read_column(column.name, member, all, std::decay_t<decltype(member(all[0]))>());
    });
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (offsets[i + 1] < offsets[i] || offsets[i + 1] > rows) {
        throw origin.error("record " + std::to_string(i) + ": its " + group + " would run from " +
                           std::to_string(offsets[i]) + " to " + std::to_string(offsets[i + 1]));
      }
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(offsets[i]);
      list_of(records[i]).assign(begin, begin + static_cast<std::ptrdiff_t>(offsets[i + 1] - offsets[i]));
    }
  }

  // Of a column of codes as many as it has bytes, of a column of texts one less than it has offsets.
  std::uint64_t rows_of(const std::string& dataset, hid_t type) const {
    const Origin origin = about(origin_, dataset);
    const std::uint64_t size = checked_size(origin, open_dataset(origin, dataset).get(), type, 1);
    if (RLAIF_HDF5(origin, H5Tequal(type, H5T_STD_U8LE)) > 0) return size;
    if (size == 0) throw origin.error("expected at least one value");
    return size - 1;
  }

  static std::uint64_t size_of(const std::filesystem::path& file) {
    std::error_code code;
    const std::uint64_t size = std::filesystem::file_size(file, code);
    if (code) throw input_error(file, "cannot be read: " + code.message());
    return size;
  }

  FileHandle open() const {
    const PropertiesHandle access(RLAIF_HDF5(origin_, H5Pcreate(H5P_FILE_ACCESS)));
    // Shards are immutable, and many file systems of clusters know no locks.
    RLAIF_HDF5(origin_, H5Pset_file_locking(access.get(), false, true));
    return FileHandle(RLAIF_HDF5(origin_, H5Fopen(origin_.file.c_str(), H5F_ACC_RDONLY, access.get())));
  }

  static Origin about(const Origin& file, const std::string& dataset) { return file.in("dataset /" + dataset); }

  AttributeHandle open_attribute(const Origin& origin, const char* name) const {
    AttributeHandle attribute(RLAIF_HDF5(origin, H5Aopen(file_.get(), name, H5P_DEFAULT)));
    const SpaceHandle space(RLAIF_HDF5(origin, H5Aget_space(attribute.get())));
    if (H5Sget_simple_extent_type(space.get()) != H5S_SCALAR) throw origin.error("expected one value");
    return attribute;
  }

  std::string read_text(const char* name) const {
    const Origin origin = origin_.in(std::string("attribute ") + name);
    const AttributeHandle attribute = open_attribute(origin, name);
    const TypeHandle type(RLAIF_HDF5(origin, H5Aget_type(attribute.get())));
    if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0) {
      throw origin.error("expected text of fixed length");
    }
    const std::size_t size = H5Tget_size(type.get());
    if (size > kLongestAttribute) throw origin.error("is " + std::to_string(size) + " bytes long");
    std::string text(size, '\0');
    RLAIF_HDF5(origin, H5Aread(attribute.get(), type.get(), text.data()));
    text.resize(text.find_last_not_of('\0') + 1);  // padded with zeros
    return text;
  }

  std::uint64_t read_count(const char* name) const {
    const Origin origin = origin_.in(std::string("attribute ") + name);
    const AttributeHandle attribute = open_attribute(origin, name);
    const TypeHandle type(RLAIF_HDF5(origin, H5Aget_type(attribute.get())));
    if (RLAIF_HDF5(origin, H5Tequal(type.get(), H5T_STD_U64LE)) == 0) throw origin.error("expected a uint64");
    std::uint64_t value = 0;
    RLAIF_HDF5(origin, H5Aread(attribute.get(), H5T_NATIVE_UINT64, &value));
    return value;
  }

  // The dataset, if it is stored in this very file: links and external data could name any other.
  DatasetHandle open_dataset(const Origin& origin, const std::string& name) const {
    for (std::size_t end = name.find('/');; end = name.find('/', end + 1)) {
      H5L_info_t link{};
      RLAIF_HDF5(origin, H5Lget_info(file_.get(), name.substr(0, end).c_str(), &link, H5P_DEFAULT));
      if (link.type != H5L_TYPE_HARD) throw origin.error("expected the data itself, got a link to elsewhere");
      if (end == std::string::npos) break;
    }
    DatasetHandle dataset(RLAIF_HDF5(origin, H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT)));
    const PropertiesHandle creation(RLAIF_HDF5(origin, H5Dget_create_plist(dataset.get())));
    const H5D_layout_t layout = H5Pget_layout(creation.get());
    if (layout == H5D_CHUNKED) {
      hsize_t chunk[H5S_MAX_RANK];
      const int rank = RLAIF_HDF5(origin, H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk));
      std::uint64_t elements = 1;
      for (int i = 0; i < rank; ++i) elements = checked_product(origin, elements, chunk[i]);
    } else if (layout == H5D_VIRTUAL || RLAIF_HDF5(origin, H5Pget_external_count(creation.get())) > 0) {
      throw origin.error("expected the data in this file, got a view of another");
    }
    return dataset;
  }

  // a * b, where a dataset of so many elements fits the file.
  std::uint64_t checked_product(const Origin& origin, std::uint64_t a, std::uint64_t b) const {
    if (b != 0 && a > file_bytes_ / b) {
      throw origin.error("its " + std::to_string(a) + " x " + std::to_string(b) + " values do not fit in the file's " +
                         std::to_string(file_bytes_) + " bytes");
    }
    return a * b;
  }

  std::uint64_t checked_size(const Origin& origin, hid_t dataset, hid_t file_type, std::uint64_t width) const {
    const TypeHandle type(RLAIF_HDF5(origin, H5Dget_type(dataset)));
    if (RLAIF_HDF5(origin, H5Tequal(type.get(), file_type)) == 0) throw origin.error("has another type than expected");
    const SpaceHandle space(RLAIF_HDF5(origin, H5Dget_space(dataset)));
    const int rank = RLAIF_HDF5(origin, H5Sget_simple_extent_ndims(space.get()));
    hsize_t extent[H5S_MAX_RANK] = {0};
    RLAIF_HDF5(origin, H5Sget_simple_extent_dims(space.get(), extent, nullptr));
    const int expected_rank = width == 1 ? 1 : 2;
    if (rank != expected_rank || (rank == 2 && extent[1] != width)) {
      throw origin.error("has another shape than expected");
    }
    const std::uint64_t size = checked_product(origin, extent[0], width);
    checked_product(origin, size, H5Tget_size(file_type));
    return size;
  }

  // rows: how many are expected; nullopt where the dataset itself says.
  template <class Value>
  Array<Value> read_numbers(const std::string& name, hid_t file_type, hid_t memory_type,
                            std::optional<std::uint64_t> rows, std::uint64_t width = 1) const {
    const Origin origin = about(origin_, name);
    const DatasetHandle dataset = open_dataset(origin, name);
    Array<Value> array;
    array.size = checked_size(origin, dataset.get(), file_type, width);
    if (rows && array.size != *rows * width) {
      throw origin.error("expected " + std::to_string(*rows) + " rows, got " + std::to_string(array.size / width));
    }
    array.values = std::make_unique_for_overwrite<Value[]>(array.size);
    if (array.size > 0) {
      RLAIF_HDF5(origin, H5Dread(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.get()));
    }
    return array;
  }

  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, const std::string&) {
    const auto offsets =
        read_numbers<std::uint64_t>(name + "/offsets", H5T_STD_U64LE, H5T_NATIVE_UINT64, rows.size() + 1);
    const auto bytes = read_numbers<char>(name + "/bytes", H5T_STD_U8LE, H5T_NATIVE_UINT8, std::nullopt);
    const Origin origin = about(origin_, name + "/offsets");
    if (offsets[0] != 0 || offsets[rows.size()] != bytes.size) {
      throw origin.error("expected them to run from 0 to " + std::to_string(bytes.size) + ", got " +
                         std::to_string(offsets[0]) + " to " + std::to_string(offsets[rows.size()]));
    }
    for (std::uint64_t i = 0; i < rows.size(); ++i) {
      // Steps down are refused, and the last one is the size: so every text lies within the bytes.
      if (offsets[i + 1] < offsets[i] || offsets[i + 1] > bytes.size) {
        throw origin.error("record " + std::to_string(i) + ": its text would run from " + std::to_string(offsets[i]) +
                           " to " + std::to_string(offsets[i + 1]));
      }
      member(rows[i]).assign(bytes.values.get() + offsets[i], offsets[i + 1] - offsets[i]);
    }
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, std::uint64_t) {
    const auto values = read_numbers<std::uint64_t>(name, H5T_STD_U64LE, H5T_NATIVE_UINT64, rows.size());
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = values[i];
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, std::uint32_t) {
    const auto values = read_numbers<std::uint32_t>(name, H5T_STD_U32LE, H5T_NATIVE_UINT32, rows.size());
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = values[i];
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, std::int64_t) {
    const auto values = read_numbers<std::int64_t>(name, H5T_STD_I64LE, H5T_NATIVE_INT64, rows.size());
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = values[i];
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, double) {
    const auto values = read_numbers<double>(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rows.size());
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = values[i];
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, const std::array<double, 2>&) {
    const auto values = read_numbers<double>(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rows.size(), 2);
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = {values[2 * i], values[2 * i + 1]};
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, bool) {
    const auto values = read_codes(name, rows.size(), 2);
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = values[i] != 0;
  }
  template <class Row, class Member>
  void read_column(const std::string& name, Member member, std::vector<Row>& rows, VerdictStatus) {
    const auto values = read_codes(name, rows.size(), kStatuses.size());
    for (std::uint64_t i = 0; i < rows.size(); ++i) member(rows[i]) = kStatuses[values[i]];
  }

  // Bytes below `codes`.
  Array<std::uint8_t> read_codes(const std::string& name, std::uint64_t rows, std::size_t codes) const {
    auto values = read_numbers<std::uint8_t>(name, H5T_STD_U8LE, H5T_NATIVE_UINT8, rows);
    for (std::uint64_t i = 0; i < rows; ++i) {
      if (values[i] >= codes) {
        throw about(origin_, name)
            .error("record " + std::to_string(i) + ": unknown code " + std::to_string(values[i]) +
                   ", the last known one is " + std::to_string(codes - 1));
      }
    }
    return values;
  }

  Origin origin_;
  std::uint64_t file_bytes_;
  FileHandle file_;
};

}  // namespace

Shard load_shard(const std::filesystem::path& file) {
  silence_hdf5();
  return ShardReader(file).read();
}

Shard load_shard(const std::filesystem::path& folder, std::uint64_t block) {
  const std::filesystem::path file = shard_path(folder, block);
  Shard shard = load_shard(file);
  if (shard.block != block) {
    throw input_error(file, "expected the shard of block " + std::to_string(block) + ", its attribute says " +
                                std::to_string(shard.block));
  }
  return shard;
}

std::vector<Preference> read_shard(const std::filesystem::path& file) { return load_shard(file).records; }

}  // namespace rlaif::preferences
