// Verdicts a second through a server on this machine, and opening a store of paid answers.
//
//   judge_bench                     the benchmarks; the server is a process of its own
//   judge_bench serve PORT_FILE     the server alone (jobs/bench_judge.sh holds wrk against it)
// RLAIF_BENCH_JUDGE_URL names a server that runs already (http://127.0.0.1:PORT); RLAIF_BENCH_PAYLOAD a file for the body of one request.
#include <benchmark/benchmark.h>
#include <httplib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/judge/kinds/remote.hpp"

namespace {

using namespace rlaif;
namespace fs = std::filesystem;

constexpr const char* reply =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"test","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"A"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":520,"completion_tokens":1,"total_tokens":521}})";

void serve(const fs::path& port_file, const fs::path& payload_file) {
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(72); };
  server.set_keep_alive_max_count(100'000'000);
  server.set_tcp_nodelay(true);
  std::atomic<bool> kept = payload_file.empty();
  std::mutex mutex;
  const auto keep = [&](const httplib::Request& request) {
    const std::lock_guard lock(mutex);
    if (!kept.exchange(true)) write_file_atomic(payload_file, request.body);
  };
  const auto answer = [&](const char* path, const char* type, std::chrono::milliseconds thought) {
    server.Post(path, [&keep, &kept, type, thought](const httplib::Request& request, httplib::Response& response) {
      if (!kept) keep(request);
      if (thought.count() > 0) std::this_thread::sleep_for(thought);
      response.set_content(reply, type);
    });
  };
  using namespace std::chrono_literals;
  answer("/v1/chat/completions", "application/json", 0ms);  // compressed where the client takes that: most of the work
  answer("/plain/v1/chat/completions", "application/octet-stream", 0ms);  // never compressed
  answer("/thinking/v1/chat/completions", "application/octet-stream", 20ms);
  write_file_atomic(port_file, std::to_string(server.bind_to_any_port("127.0.0.1")) + "\n");
  server.listen_after_bind();
}

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// A folder of this process that goes with it.
const fs::path& scratch() {
  static const fs::path folder = [] {
    const fs::path made = fs::temp_directory_path() / ("rlaif-judge-bench-" + std::to_string(::getpid()));
    make_folders(made);
    return made;
  }();
  return folder;
}

class ServerProcess {
 public:
  ServerProcess() {
    const fs::path port_file = scratch() / "port";
    child_ = ::fork();
    RLAIF_CHECK(child_ >= 0, "a process for the server");
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(port_file, "");
      ::_exit(0);
    }
    while (!fs::exists(port_file)) ::usleep(1000);
    std::string port = read_file(port_file);
    url_ = "http://127.0.0.1:";
    url_ += port.substr(0, port.find('\n'));
  }
  ~ServerProcess() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  const std::string& url() const { return url_; }

 private:
  pid_t child_ = -1;
  std::string url_;
};

std::string server_url;

std::vector<Comparison> comparisons(std::int64_t count, std::int64_t begin) {
  const std::string filling(600, 'x');
  std::vector<Comparison> all;
  for (std::int64_t i = begin; i < begin + count; ++i) {
    Comparison one;
    one.id = static_cast<std::uint64_t>(i);
    one.prompt = {one.id, "Question " + std::to_string(i), ""};
    one.first.text = "first " + filling;
    one.second.text = "second " + filling;
    all.push_back(std::move(one));
  }
  return all;
}

void report_memory(benchmark::State& state) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_mib"] = static_cast<double>(usage.ru_maxrss) / 1024.0;
}

// Everything a study pays for: rendering, the request, its place in the store of answers, the reading, the meter.
void verdicts(benchmark::State& state, const std::string& path) {
  judge::RemoteOptions options = judge::openai_options();
  options.base_url = server_url + path;
  options.model = "test";
  options.key_variable = "RLAIF_BENCH_JUDGE_KEY";
  ::setenv("RLAIF_BENCH_JUDGE_KEY", "none", 1);
  options.orders = judge::Orders::first_only;
  options.max_output_tokens = 16;
  options.http.concurrency = 64;
  judge::RemoteParts parts;
  parts.style.style = text::Conversation::Style::verdict_first;
  parts.style.turns = {{"system", "You compare two responses. Answer with one letter, A or B."},
                       {"user", "{prompt}\n<{fence}>\n{first}\n<{fence}>\n{second}\n<{fence}>"}};
  parts.price.input_per_million_usd = 1;
  parts.price.output_per_million_usd = 4;
  parts.answers = std::make_shared<remote::AnswerCache>(scratch() / "verdicts" / path.substr(1), 0);
  parts.meter = std::make_shared<cost::SpendMeter>();
  const auto asked = judge::make_openai_judge("bench", options, parts);
  std::int64_t begin = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto fresh = comparisons(state.range(0), begin);
    begin += state.range(0);
    state.ResumeTiming();
    const auto all = asked->judge(fresh);
    RLAIF_CHECK(all.back().status == VerdictStatus::ok, "a verdict");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  report_memory(state);
}

void open_answers(benchmark::State& state) {
  const fs::path folder = scratch() / "answers";
  {
    remote::AnswerCache cache(folder, 0);
    for (std::int64_t i = static_cast<std::int64_t>(cache.size()); i < state.range(0); ++i) {
      const remote::RequestHash hash = remote::request_hash(std::to_string(i));
      cache.note_sent(hash, 0.001);
      cache.store(hash, reply, 0.0005);
    }
    cache.sync();
  }
  for (auto _ : state) {
    remote::AnswerCache cache(folder, 1);
    RLAIF_CHECK(cache.size() == static_cast<std::size_t>(state.range(0)), "all answers");
  }
  report_memory(state);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "serve") {
    serve(argv[2], variable("RLAIF_BENCH_PAYLOAD"));
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  int code = 0;
  try {
    server_url = variable("RLAIF_BENCH_JUDGE_URL");
    std::optional<ServerProcess> server;
    if (server_url.empty()) server_url = server.emplace().url();
    for (const char* path : {"/v1", "/plain/v1", "/thinking/v1"})
      benchmark::RegisterBenchmark(("verdicts" + std::string(path)).c_str(), verdicts, path)
          ->Arg(5000)
          ->Iterations(3)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("open_answers", open_answers)
        ->Arg(100000)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RunSpecifiedBenchmarks();
  } catch (const Error& error) {
    std::cerr << "judge_bench: " << error.what() << '\n';
    code = 1;
  }
  std::error_code ignored;
  fs::remove_all(scratch(), ignored);
  return code;
}
