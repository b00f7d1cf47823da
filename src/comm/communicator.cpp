#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>
#include <exception>
#include <utility>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"
#include "waiting.hpp"

namespace rlaif::comm {
namespace {

MPI_Comm duplicate(MPI_Comm comm) {
  MPI_Comm copy = MPI_COMM_NULL;
  RLAIF_MPI(MPI_Comm_dup(comm, &copy));
  return copy;
}

MPI_Datatype datatype(float) { return MPI_FLOAT; }
MPI_Datatype datatype(double) { return MPI_DOUBLE; }

std::vector<int> to_int(const std::vector<std::size_t>& values) {
  return std::vector<int>(values.begin(), values.end());
}

// Up to this many bytes one all-gather and a sum on every rank beats two exchanges.
constexpr std::size_t small_bytes = 4096;
// Bounds the receive buffer of a long reduction.
constexpr std::size_t segment_bytes = std::size_t{64} << 20;

// values[i] = op(...op(v_0[i], v_1[i])..., v_last[i]) over ranks, in their order, in place.
template <class T, class Op>
void reduce_small(const Communicator::Handle& h, std::span<T> values, Op op) {
  const std::size_t n = values.size();
  std::vector<T> all(n * static_cast<std::size_t>(h.size));
  const int count = static_cast<int>(n);
  RLAIF_MPI(MPI_Allgather(values.data(), count, datatype(T{}), all.data(), count, datatype(T{}), h.comm));
  std::copy_n(all.data(), n, values.data());
  for (int r = 1; r < h.size; ++r) {
    const T* theirs = all.data() + static_cast<std::size_t>(r) * n;
    for (std::size_t i = 0; i < n; ++i) values[i] = op(values[i], theirs[i]);
  }
}

// The same for long vectors: rank r gets everybody's chunk r, reduces it and hands it to all.
template <class T, class Op>
void reduce_segment(const Communicator::Handle& h, std::span<T> values, std::vector<T>& received, Op op) {
  const auto offsets = chunk_offsets(values.size(), h.size);
  const auto me = static_cast<std::size_t>(h.rank);
  const std::size_t mine = offsets[me + 1] - offsets[me];
  std::vector<std::size_t> send_counts, receive_counts, receive_offsets;
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    send_counts.push_back(offsets[r + 1] - offsets[r]);
    receive_counts.push_back(mine);
    receive_offsets.push_back(r * mine);
  }
  const auto send_counts_int = to_int(send_counts);
  const auto send_offsets_int = to_int(offsets);
  const auto receive_counts_int = to_int(receive_counts);
  const auto receive_offsets_int = to_int(receive_offsets);
  received.resize(mine * static_cast<std::size_t>(h.size));
  RLAIF_MPI(MPI_Alltoallv(values.data(), send_counts_int.data(), send_offsets_int.data(), datatype(T{}),
                          received.data(), receive_counts_int.data(), receive_offsets_int.data(), datatype(T{}),
                          h.comm));
  T* result = values.data() + offsets[me];
  std::copy_n(received.data(), mine, result);
  for (std::size_t r = 1; r < static_cast<std::size_t>(h.size); ++r) {
    const T* theirs = received.data() + r * mine;
    for (std::size_t i = 0; i < mine; ++i) result[i] = op(result[i], theirs[i]);
  }
  RLAIF_MPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values.data(), send_counts_int.data(),
                           send_offsets_int.data(), datatype(T{}), h.comm));
}

template <class T, class Op>
void reduce_in_order(const Communicator::Handle& h, std::span<T> values, Op op) {
  if (h.size == 1 || values.empty()) return;
  const Waiting waiting("all_reduce");
  if (values.size_bytes() <= std::min(small_bytes, h.max_message_bytes)) return reduce_small(h, values, op);
  const std::size_t step = std::max<std::size_t>(std::min(segment_bytes, h.max_message_bytes) / sizeof(T), 1);
  std::vector<T> received;
  for (std::size_t at = 0; at < values.size(); at += step)
    reduce_segment(h, values.subspan(at, std::min(step, values.size() - at)), received, op);
}

// "line 3: 'a = 1' there, 'a = 2' here" for the first line in which two texts differ.
std::string first_difference(const std::string& theirs, const std::string& mine) {
  std::size_t line = 1;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < std::min(theirs.size(), mine.size()) && theirs[i] == mine[i]; ++i) {
    if (theirs[i] != '\n') continue;
    ++line;
    begin = i + 1;
  }
  const auto rest_of_line = [begin](const std::string& text) {
    constexpr std::size_t longest = 120;
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    return "'" + text.substr(begin, std::min(end - begin, longest)) + "'";
  };
  return "line " + std::to_string(line) + ": " + rest_of_line(theirs) + " there, " + rest_of_line(mine) + " here";
}

}  // namespace

std::vector<std::size_t> chunk_offsets(std::size_t length, int parts) {
  constexpr std::size_t line = 16;
  std::vector<std::size_t> offsets;
  const auto n = static_cast<std::size_t>(parts);
  for (std::size_t r = 0; r < n; ++r) {
    const std::size_t even = length / n * r + length % n * r / n;
    offsets.push_back(even / line * line);
  }
  offsets.push_back(length);
  return offsets;
}

Communicator::Handle::Handle(MPI_Comm duplicated) : comm(duplicated), exceptions_at_birth_(std::uncaught_exceptions()) {
  RLAIF_MPI(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
  RLAIF_MPI(MPI_Comm_rank(comm, &rank));
  RLAIF_MPI(MPI_Comm_size(comm, &size));
  MPI_Comm node = MPI_COMM_NULL;
  RLAIF_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node));
  RLAIF_MPI(MPI_Comm_rank(node, &local_rank));
  RLAIF_MPI(MPI_Comm_size(node, &local_size));
  RLAIF_MPI(MPI_Comm_free(&node));
}

Communicator::Handle::~Handle() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  // Freeing is collective: not while this rank alone unwinds.
  if (finalized != 0 || std::uncaught_exceptions() > exceptions_at_birth_) return;
  MPI_Comm_free(&comm);
}

Communicator::Communicator(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;
Communicator::~Communicator() = default;

Communicator Communicator::world() { return Communicator(std::make_unique<Handle>(duplicate(MPI_COMM_WORLD))); }
Communicator Communicator::self() { return Communicator(std::make_unique<Handle>(duplicate(MPI_COMM_SELF))); }

int Communicator::rank() const { return handle_->rank; }
int Communicator::size() const { return handle_->size; }
int Communicator::local_rank() const { return handle_->local_rank; }
int Communicator::local_size() const { return handle_->local_size; }

void Communicator::limit_messages(std::size_t bytes) {
  RLAIF_CHECK(bytes > 0 && bytes <= INT_MAX, "a message is between 1 byte and INT_MAX bytes");
  handle_->max_message_bytes = bytes;
}

void Communicator::barrier() const {
  if (size() == 1) return;
  const Waiting waiting("barrier");
  RLAIF_MPI(MPI_Barrier(handle_->comm));
}

void Communicator::progress() const {
  if (size() == 1) return;
  int arrived = 0;
  RLAIF_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, handle_->comm, &arrived, MPI_STATUS_IGNORE));
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  if (size() == 1) return;
  const Waiting waiting("broadcast");
  const std::size_t step = handle_->max_message_bytes;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const int count = static_cast<int>(std::min(step, bytes.size() - at));
    RLAIF_MPI(MPI_Bcast(bytes.data() + at, count, MPI_BYTE, root, handle_->comm));
  }
}

void Communicator::broadcast(std::string& text, int root) const {
  if (size() == 1) return;
  const Waiting waiting("broadcast");
  std::uint64_t length = text.size();
  RLAIF_MPI(MPI_Bcast(&length, 1, MPI_UINT64_T, root, handle_->comm));
  text.resize(length);
  broadcast(std::as_writable_bytes(std::span<char>(text)), root);
}

void Communicator::all_reduce_sum(std::span<double> values) const {
  reduce_in_order(*handle_, values, [](double a, double b) { return a + b; });
}

void Communicator::all_reduce_sum(std::span<float> values) const {
  reduce_in_order(*handle_, values, [](float a, float b) { return a + b; });
}

void Communicator::all_reduce_max(std::span<double> values) const {
  // MPI_MAX leaves open what becomes of NaN; here it wins, so that no rank can hide it.
  reduce_in_order(*handle_, values, [](double a, double b) { return std::isnan(a) || a >= b ? a : b; });
}

namespace {

// agree, under the name that a watchdog shows.
void agree_on(const Communicator& comm, const char* name, const std::function<void()>& f) {
  std::exception_ptr failure;
  int kind = 0;
  bool follows = false;
  try {
    f();
  } catch (const PeerError& error) {
    failure = std::current_exception();
    kind = static_cast<int>(error.kind());
    follows = true;
  } catch (const Error& error) {
    failure = std::current_exception();
    kind = static_cast<int>(error.kind());
  } catch (...) {
    failure = std::current_exception();
    kind = static_cast<int>(ErrorKind::internal);
  }
  if (comm.size() == 1) {
    if (failure) std::rethrow_exception(failure);
    return;
  }
  // Own failures go before echoes of an inner agree, lower ranks before higher ones.
  const std::int64_t none = INT64_MAX;
  const std::int64_t order = follows ? comm.size() + comm.rank() : comm.rank();
  const std::int64_t mine = failure ? order * 256 + kind : none;
  std::int64_t lowest = none;
  {
    const Waiting waiting(name);
    RLAIF_MPI(MPI_Allreduce(&mine, &lowest, 1, MPI_INT64_T, MPI_MIN, comm.handle().comm));
  }
  if (lowest == none) return;
  if (lowest == mine) std::rethrow_exception(failure);
  throw PeerError(static_cast<ErrorKind>(lowest % 256));
}

}  // namespace

void Communicator::agree(const std::function<void()>& f) const { agree_on(*this, "agree", f); }

void Communicator::on_root(const std::function<void()>& f) const {
  agree_on(*this, "on_root (rank 0 works, the others wait)", [&] {
    if (!is_root()) return;
    const std::int64_t begin = steady_ns();
    f();
    wait_record.waited_ns.fetch_add(steady_ns() - begin, std::memory_order_relaxed);
  });
}

bool Communicator::any(bool mine) const {
  if (size() == 1) return mine;
  const Waiting waiting("any");
  const int flag = mine ? 1 : 0;
  int result = 0;
  RLAIF_MPI(MPI_Allreduce(&flag, &result, 1, MPI_INT, MPI_MAX, handle_->comm));
  return result != 0;
}

void Communicator::require_equal(const std::string& text, const std::string& what) const {
  std::string first = is_root() ? text : std::string();
  broadcast(first);
  agree([&] {
    if (text != first)
      throw usage_error(what + " differs between rank 0 and rank " + std::to_string(rank()) + ", " +
                        first_difference(first, text));
  });
}

}  // namespace rlaif::comm
