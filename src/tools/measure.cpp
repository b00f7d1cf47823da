#include "rlaif/tools/measure.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>

#include "rlaif/comm/measure.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/host.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/model/matmul.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::tools {
namespace {

constexpr double seconds_each = 0.1;
constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t file_bytes = 32 * mebibyte;

Json times_json(const std::vector<comm::MessageTime>& times) {
  const comm::Link link = comm::fitted_link(times);
  Json json{
      {"times", Json::array()}, {"latency_seconds", link.latency_seconds}, {"bytes_per_second", link.bytes_per_second}};
  for (const comm::MessageTime& one : times) json["times"].push_back({one.bytes, one.seconds});
  return json;
}

std::vector<std::string> host_of_ranks(const comm::Communicator& comm) { return comm.all_gather(host_name()); }

// Units of work a second: f is run until a quarter of a second is over.
double per_second(const comm::Communicator& comm, double units, const std::function<void()>& f) {
  f();
  comm.barrier();  // all ranks at once: they share memory and power
  const Stopwatch watch;
  double done = 0.0;
  do {
    f();
    done += units;
  } while (watch.seconds() < 0.25);
  return done / watch.seconds();
}

double product_gflops(const comm::Communicator& comm) {
  const torch::NoGradGuard no_gradients;
  const std::int64_t rows = 256, in = 768, out = 3072;
  const torch::Tensor x = torch::full({rows, in}, 0.5F), weight = torch::full({out, in}, 0.25F);
  torch::Tensor y = torch::empty({rows, out});
  return per_second(comm, 2e-9 * static_cast<double>(rows * in * out), [&] { model::matmul_into(x, weight, y); });
}

double memory_bytes_per_second(const comm::Communicator& comm) {
  const torch::NoGradGuard no_gradients;
  const std::int64_t floats = 16 * static_cast<std::int64_t>(mebibyte);
  torch::Tensor a = torch::zeros({floats});
  const torch::Tensor b = torch::ones({floats});
  return per_second(comm, 3.0 * sizeof(float) * static_cast<double>(floats), [&] { a.add_(b); });
}

double median_seconds(int turns, const std::function<void()>& f) {
  std::vector<double> seconds;
  for (int i = 0; i < turns; ++i) {
    const Stopwatch watch;
    f();
    seconds.push_back(watch.seconds());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

Json measure_files(const std::filesystem::path& folder) {
  make_folders(folder);
  const std::filesystem::path file = folder / ("measure-" + std::to_string(::getpid()) + ".bin");
  const std::string large(file_bytes, 'x'), small(4096, 'x');
  Json json{{"bytes", file_bytes}};
  json["write_sync_seconds"] = median_seconds(3, [&] { write_file_atomic(file, large); });
  json["read_seconds"] = median_seconds(3, [&] { read_file(file); });
  json["small_write_sync_seconds"] = median_seconds(9, [&] { write_file_atomic(file, small); });
  std::filesystem::remove(file);
  return json;
}

double mean(const Json& values) {
  double sum = 0.0;
  for (const Json& value : values) sum += value.get<double>();
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

std::string bytes_text(double bytes) {
  if (bytes >= static_cast<double>(mebibyte)) return fmt::format("{:.0f} MiB", bytes / static_cast<double>(mebibyte));
  return bytes >= 1024.0 ? fmt::format("{:.0f} KiB", bytes / 1024.0) : fmt::format("{:.0f} B", bytes);
}

std::string link_text(const std::string& what, const Json& link) {
  std::string text =
      fmt::format("{:<28} latency {:.2f} us, {:.2f} GB/s\n", what, 1e6 * link["latency_seconds"].get<double>(),
                  1e-9 * link["bytes_per_second"].get<double>());
  for (const Json& one : link["times"]) {
    const double bytes = one[0].get<double>(), seconds = one[1].get<double>();
    text +=
        fmt::format("  {:>10} {:>12.2f} us {:>9.3f} GB/s\n", bytes_text(bytes), 1e6 * seconds, 1e-9 * bytes / seconds);
  }
  return text;
}

}  // namespace

Json measure_machine(const comm::Communicator& comm, const std::filesystem::path& folder) {
  torch::set_num_threads(1);
  const std::vector<std::string> hosts = host_of_ranks(comm);
  Json json{{"version", version()},
            {"ranks", comm.size()},
            {"hosts", std::set<std::string>(hosts.begin(), hosts.end()).size()}};
  if (comm.size() > 1) {
    const std::vector<std::size_t> sizes{4, 64, 1024, 16384, 262144, mebibyte, 4 * mebibyte, 16 * mebibyte};
    std::set<int> others{1};
    for (int rank = 1; rank < comm.size(); ++rank) {
      if (hosts[static_cast<std::size_t>(rank)] == hosts[0]) continue;
      others.insert(rank);  // the first one on another node
      break;
    }
    for (const int other : others) {
      Json link = times_json(comm::time_messages(comm, other, sizes, seconds_each));
      link["between"] = {0, other};
      link["same_host"] = hosts[static_cast<std::size_t>(other)] == hosts[0];
      json["point_to_point"].push_back(link);
    }
    json["gradient_sum"] = times_json(comm::time_gradient_sums(comm, sizes, seconds_each));
  }
  const double gflops = product_gflops(comm), memory = memory_bytes_per_second(comm);
  for (const std::string& one : comm.all_gather(Json::array({gflops, memory}).dump())) {
    const Json row = Json::parse(one);
    json["product"]["gflops"].push_back(row[0]);
    json["memory"]["bytes_per_second"].push_back(row[1]);
  }
  comm.on_root([&] { json["files"] = measure_files(folder); });
  return comm.is_root() ? json : Json();
}

std::string machine_table(const Json& measured) {
  std::string text;
  for (const Json& link : measured.value("point_to_point", Json::array())) {
    const std::string between =
        fmt::format("rank {} to rank {}, {}", link["between"][0].get<int>(), link["between"][1].get<int>(),
                    link["same_host"].get<bool>() ? "one node" : "two nodes");
    text += link_text(between, link);
  }
  if (measured.contains("gradient_sum")) {
    text +=
        link_text(fmt::format("sum of gradients, {} ranks", measured["ranks"].get<int>()), measured["gradient_sum"]);
  }
  text += fmt::format("{:<28} {:.1f} GFLOP/s a rank, float32, one thread\n", "products",
                      mean(measured["product"]["gflops"]));
  text +=
      fmt::format("{:<28} {:.1f} GB/s a rank\n", "memory, a += b", 1e-9 * mean(measured["memory"]["bytes_per_second"]));
  const Json& files = measured["files"];
  const double bytes = files["bytes"].get<double>();
  text += fmt::format(
      "{:<28} {} written and synced in {:.3f} s ({:.2f} GB/s), read in {:.3f} s; 4 KiB written and "
      "synced in {:.2f} ms\n",
      "files", bytes_text(bytes), files["write_sync_seconds"].get<double>(),
      1e-9 * bytes / files["write_sync_seconds"].get<double>(), files["read_seconds"].get<double>(),
      1e3 * files["small_write_sync_seconds"].get<double>());
  return text;
}

}  // namespace rlaif::tools
