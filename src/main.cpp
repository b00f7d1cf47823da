#include "rlaif/cli/commands.hpp"

int main(int argc, char** argv) { return rlaif::cli::run(argc, argv); }
