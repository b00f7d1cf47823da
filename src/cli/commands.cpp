#include "rlaif/cli/commands.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "rlaif/cli/chat_tool.hpp"
#include "rlaif/cli/completion.hpp"
#include "rlaif/cli/convert_tool.hpp"
#include "rlaif/cli/deck.hpp"
#include "rlaif/cli/file_tools.hpp"
#include "rlaif/cli/help.hpp"
#include "rlaif/cli/key_help.hpp"
#include "rlaif/cli/label_tools.hpp"
#include "rlaif/cli/run_tools.hpp"
#include "rlaif/cli/sweep_tools.hpp"
#include "rlaif/comm/launch.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/time_limit.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/run/instruction_sets.hpp"
#include "rlaif/stages/study.hpp"
#include "rlaif/tools/calibrate.hpp"
#include "rlaif/tools/file_commands.hpp"

namespace rlaif::cli {
namespace {

// Set by the handler, read at step boundaries; ranks agree on it there.
volatile std::sig_atomic_t stop_signal = 0;
void on_signal(int signal) { stop_signal = signal; }

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT}) sigaction(signal, &action, nullptr);
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &ignore, nullptr);  // a file size limit becomes an error of write() that names the file
  // A launcher may hold back what comes before this program listens (slurm/study.sbatch does): now it is heard.
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT}) sigaddset(&heard, signal);
  pthread_sigmask(SIG_UNBLOCK, &heard, nullptr);
}

// USR2 warns of the limit; the others are to be obeyed now.
bool is_time_to_stop(TimeLimit& limit) {
  const int signal = stop_signal;
  return limit.reached(signal == SIGUSR2) || (signal != 0 && signal != SIGUSR2);
}

int run_collective(const CommandLine& line, const comm::Communicator& comm) {
  std::unique_ptr<Resolved> resolved;
  comm.agree([&] {
    if (line.words.size() > 1) throw usage_error("unexpected argument '" + line.words[1] + "': one deck was expected");
    const bool needs_deck = line.command == "study";
    if (line.words.empty() && needs_deck) throw usage_error("a deck was expected: rlaif " + line.command + " DECK");
    resolved = resolve(line.words.empty() ? std::filesystem::path() : std::filesystem::path(line.words[0]), line);
  });
  comm.require_equal(resolved->deck.canonical(), "the resolved deck");
  study::Study& study = resolved->study;
  const ResolvedDeck& deck = resolved->deck;
  if (!line.dry_run) run::settle_instruction_sets(comm, study.run.instruction_set);  // before libtorch is used
  study::set_threads(study.run.threads);
  if (line.dry_run) {
    comm.on_root(
        [&] { std::cout << stages::describe_plan(study, resolved->stages, resolved->plan, deck, comm.size()); });
  } else if (line.command == "generate") {
    tools::run_generate_command(study, resolved->io, deck, comm);
  } else if (line.command == "judge") {
    tools::run_judge_command(study, resolved->io, deck, comm);
  } else if (line.command == "calibrate") {
    tools::run_calibrate_command(study, resolved->calibrate, deck, comm);
  } else {
    stages::run_study(line.command, study, resolved->stages, resolved->plan, deck, comm,
                      [limit = std::make_shared<TimeLimit>(job_end_time())] { return is_time_to_stop(*limit); });
  }
  return 0;
}

// Commands that one rank does: extra ranks wait for it.
int run_on_root(const CommandLine& line, const comm::Communicator& comm) {
  comm.on_root([&] {
    if (line.command == "preferences") {
      run_preferences_command(line);
    } else if (line.command == "world") {
      run_world_command(line);
    } else if (line.command == "cost") {
      run_cost_command(line);
    } else if (line.command == "spotcheck") {
      run_spotcheck_command(line);
    } else if (line.command == "sweep") {
      run_sweep_command(line);
    } else if (line.command == "constitution") {
      run_constitution_command(line);
    } else if (line.command == "convert") {
      run_convert_command(line);
    }
  });
  return 0;
}

int dispatch(const CommandLine& line, const comm::Communicator& comm) {
  if (line.command == "info") {
    run_info_command(line, comm);
    return 0;
  }
  for (const char* command : {"preferences", "world", "constitution", "convert", "cost", "spotcheck", "sweep"}) {
    if (line.command == command) return run_on_root(line, comm);
  }
  return run_collective(line, comm);
}

// What `rlaif help` prints of a command, with the keys of the deck that is named.
std::string help_of(const CommandHelp& command, const std::vector<std::string>& words) {
  const bool has_deck = !words.empty() && command.takes_deck();
  CommandLine defaults;
  const auto resolved = resolve(has_deck ? std::filesystem::path(words[0]) : std::filesystem::path(), defaults);
  return command_help(command, resolved->table);
}

void run_help_command(const CommandLine& line) {
  no_more_words(line, 1);
  if (line.words.empty()) {
    std::cout << program_help();
  } else if (const CommandHelp* command = find_command(line.words[0])) {
    std::cout << help_of(*command, {});
  } else {
    std::cout << key_help(line.words[0]);
  }
}

// Commands of one process: they run on a login node too, where MPI may not start.
const std::map<std::string, void (*)(const CommandLine&)> commands_without_mpi{
    {"help", run_help_command}, {"completion", run_completion_command},
    {"new", run_new_command},   {"status", run_status_command},
    {"diff", run_diff_command}, {"chat", run_chat_command}};

void check_flags(const CommandHelp& command, const CommandLine& line) {
  std::vector<std::string> known;
  for (const Flag& flag : command.flags) known.push_back(flag.name);
  for (const auto& [name, text] : line.flags) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw usage_error("rlaif " + line.command + " has no flag --" + name + "; usage: rlaif " + command.usage);
  }
}

// nullopt: the command has to run with MPI.
std::optional<int> answer_without_mpi(const CommandLine& line) {
  if (line.version) {
    std::cout << "rlaif " << version() << "\n";
    return 0;
  }
  if (line.command.empty()) {
    std::cout << program_help();
    return line.help ? 0 : static_cast<int>(ErrorKind::usage);
  }
  const CommandHelp* help = find_command(line.command);
  if (!help) throw usage_error(unknown_command_message(line.command));
  check_flags(*help, line);
  const auto found = commands_without_mpi.find(line.command);
  if (!line.help && found == commands_without_mpi.end()) return std::nullopt;
  if (line.help)
    std::cout << help_of(*help, line.words);
  else
    found->second(line);
  std::cout << std::flush;
  return 0;
}

}  // namespace

int run(int argc, char** argv) {
  CommandLine line;
  const std::optional<comm::Launch> launch = comm::launch_of([](const char* name) { return std::getenv(name); });
  try {
    line = parse_command_line(argc, argv);
    if (const auto code = answer_without_mpi(line)) return *code;
    comm::prepare_launch(launch);
  } catch (const Error& error) {
    // Before MPI there is no rank; launchers tell it in the environment.
    const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = std::getenv("PMIX_RANK");
    if (!rank || std::string(rank) == "0") {
      std::cerr << "rlaif: " << error.what() << std::endl;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));  // the launcher ends all when one is gone
    }
    return error.exit_code();
  }
  install_signal_handlers();
  comm::Session session(&argc, &argv);
  const comm::Communicator comm = comm::Communicator::world();
  try {
    comm::require_whole_step(launch, comm.size());
    return dispatch(line, comm);
  } catch (const PeerError& error) {
    comm.barrier();  // the rank that failed prints, then ends all
    return error.exit_code();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {  // all ranks stop together, with their state saved
      if (comm.is_root()) std::cerr << "rlaif: " << error.what() << "\n";
      return error.exit_code();
    }
    if (comm.size() > 1) comm::Session::abort(error.what(), error.exit_code());
    std::cerr << "rlaif: " << error.what() << "\n";
    return error.exit_code();
  } catch (const std::filesystem::filesystem_error& error) {  // names the file and the cause
    comm::Session::abort(error.what(), static_cast<int>(ErrorKind::resource));
  } catch (const std::exception& error) {
    comm::Session::abort(std::string("internal error: ") + error.what(), static_cast<int>(ErrorKind::internal));
  }
}

}  // namespace rlaif::cli
