// Exchanges of blocks whose lengths differ from rank to rank.
#include <algorithm>
#include <numeric>

#include "mpi_handle.hpp"
#include "rlaif/core/error.hpp"
#include "waiting.hpp"

namespace rlaif::comm {
namespace {

constexpr int block_tag = 1;

std::vector<std::uint64_t> all_lengths(const Communicator::Handle& h, std::uint64_t mine) {
  std::vector<std::uint64_t> lengths(static_cast<std::size_t>(h.size));
  RLAIF_MPI(MPI_Allgather(&mine, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, h.comm));
  return lengths;
}

// MPI keeps the order of messages between two ranks, so pieces need no numbers.
void send_pieces(const Communicator::Handle& h, std::span<const std::byte> bytes, int to,
                 std::vector<MPI_Request>& requests) {
  for (std::size_t at = 0; at < bytes.size(); at += h.max_message_bytes) {
    const int count = static_cast<int>(std::min(h.max_message_bytes, bytes.size() - at));
    RLAIF_MPI(MPI_Isend(bytes.data() + at, count, MPI_BYTE, to, block_tag, h.comm, &requests.emplace_back()));
  }
}

void receive_pieces(const Communicator::Handle& h, std::span<std::byte> bytes, int from,
                    std::vector<MPI_Request>& requests) {
  for (std::size_t at = 0; at < bytes.size(); at += h.max_message_bytes) {
    const int count = static_cast<int>(std::min(h.max_message_bytes, bytes.size() - at));
    RLAIF_MPI(MPI_Irecv(bytes.data() + at, count, MPI_BYTE, from, block_tag, h.comm, &requests.emplace_back()));
  }
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span<const char>(text)); }
std::span<std::byte> writable_bytes_of(std::string& text) { return std::as_writable_bytes(std::span<char>(text)); }

}  // namespace

void wait_all(std::vector<MPI_Request>& requests, const char* what) {
  const Waiting waiting(what);
  RLAIF_MPI(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE));
  requests.clear();
}

std::vector<std::string> Communicator::all_gather(const std::string& mine) const {
  if (size() == 1) return {mine};
  const Waiting waiting("all_gather");
  const auto lengths = all_lengths(*handle_, mine.size());
  const std::uint64_t total = std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
  std::vector<std::string> result;
  if (total > handle_->max_message_bytes) {
    for (int r = 0; r < size(); ++r) {
      std::string& text = result.emplace_back(r == rank() ? mine : std::string());
      broadcast(text, r);
    }
    return result;
  }
  std::vector<int> counts(lengths.begin(), lengths.end());
  std::vector<int> offsets(counts.size(), 0);
  std::partial_sum(counts.begin(), counts.end() - 1, offsets.begin() + 1);
  std::string joined(total, '\0');
  RLAIF_MPI(MPI_Allgatherv(mine.data(), static_cast<int>(mine.size()), MPI_BYTE, joined.data(), counts.data(),
                           offsets.data(), MPI_BYTE, handle_->comm));
  for (std::size_t r = 0; r < counts.size(); ++r)
    result.push_back(joined.substr(static_cast<std::size_t>(offsets[r]), static_cast<std::size_t>(counts[r])));
  return result;
}

std::vector<std::string> Communicator::gather(const std::string& mine, int root) const {
  if (size() == 1) return {mine};
  const Waiting waiting("gather");
  const auto lengths = all_lengths(*handle_, mine.size());
  std::vector<std::string> result;
  std::vector<MPI_Request> requests;
  if (rank() == root) {
    result.resize(lengths.size());
    for (int r = 0; r < size(); ++r) {
      std::string& text = result[static_cast<std::size_t>(r)];
      if (r == root) {
        text = mine;
        continue;
      }
      text.resize(lengths[static_cast<std::size_t>(r)]);
      receive_pieces(*handle_, writable_bytes_of(text), r, requests);
    }
  } else {
    send_pieces(*handle_, bytes_of(mine), root, requests);
  }
  wait_all(requests);
  return result;
}

std::vector<std::vector<float>> Communicator::all_to_all(const std::vector<std::vector<float>>& send) const {
  RLAIF_CHECK(send.size() == static_cast<std::size_t>(size()), "all_to_all takes one block a rank");
  const Waiting waiting("all_to_all");
  std::vector<std::uint64_t> send_lengths, receive_lengths(send.size());
  for (const auto& block : send) send_lengths.push_back(block.size());
  RLAIF_MPI(MPI_Alltoall(send_lengths.data(), 1, MPI_UINT64_T, receive_lengths.data(), 1, MPI_UINT64_T, handle_->comm));
  std::vector<std::vector<float>> received(send.size());
  std::vector<MPI_Request> requests;
  for (int r = 0; r < size(); ++r) {
    auto& block = received[static_cast<std::size_t>(r)];
    if (r == rank()) {
      block = send[static_cast<std::size_t>(r)];
      continue;
    }
    block.resize(receive_lengths[static_cast<std::size_t>(r)]);
    receive_pieces(*handle_, std::as_writable_bytes(std::span<float>(block)), r, requests);
  }
  for (int r = 0; r < size(); ++r)
    if (r != rank())
      send_pieces(*handle_, std::as_bytes(std::span<const float>(send[static_cast<std::size_t>(r)])), r, requests);
  wait_all(requests);
  return received;
}

}  // namespace rlaif::comm
