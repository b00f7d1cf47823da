// Small systems of equations, as Newton's method solves them. Private to evaluate.
//   const std::vector<double> step = solve(std::move(hessian), std::move(gradient));
#pragma once

#include <vector>

namespace rlaif::evaluate {

using Matrix = std::vector<std::vector<double>>;

// Solves a symmetric positive definite system by Cholesky's factors.
std::vector<double> solve(Matrix a, std::vector<double> b);

// log(sigmoid(x)) without overflow.
double log_logistic(double x);

}  // namespace rlaif::evaluate
