// Best of n: what becomes of a policy that draws n responses and keeps the one that a proxy likes best.
//   const auto curve = best_of_n_mean(proxy, gold, 4);   // of the best of 4, from 64 draws of one prompt
//   best_of_n_kl_bound(4);                               // 0.636 nats at most
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace rlaif::evaluate {

// Places of `scores` from the best to the worst; of equal ones the first comes first, so that the best of n is the first of those
// that nothing beats.
std::vector<std::size_t> best_first(std::span<const double> scores);

// The mean of `values` over the best of n draws by `scores`, over all n of the N that are given: unbiased, by
// sum over i of C(i - 1, n - 1) / C(N, n) value_(i), with i the rank of a draw from the worst (Nakano et al. 2112.09332, eq. 2;
// Gao et al. 2210.10760, appendix I). One batch of N draws gives the whole curve. 1 <= n <= N.
double best_of_n_mean(std::span<const double> scores, std::span<const double> values, std::size_t n);

// KL(best of n || policy) is at most log n - (n - 1) / n nats, and that where no two responses are alike (Stiennon et al.
// 2009.01325, appendix G.3; Beirami et al. 2401.01879).
double best_of_n_kl_bound(std::size_t n);

// P(a response is the best of n) from the probabilities of responses in the order of their rewards, the worst first, no two
// rewards equal: F_≤^n - F_<^n.
std::vector<double> best_of_n_distribution(std::span<const double> probabilities, std::size_t n);

}  // namespace rlaif::evaluate
